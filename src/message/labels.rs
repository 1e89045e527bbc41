//! The names that Gmail gives its own labels in the languages of its users (`X-Gmail-Labels` in a Takeout archive).
//! Not a list of folder names; those belong to the sources.

use super::text::decode;

/// "Sent", as Gmail writes it, in lower case.
const SENT: [&str; 50] = [
    "sent",
    "sent mail",
    "gesendet",
    "messages envoyés",
    "envoyés",
    "enviado",
    "enviados",
    "enviadas",
    "mensajes enviados",
    "posta inviata",
    "inviati",
    "verzonden",
    "verzonden berichten",
    "e-mails enviados",
    "correo enviado",
    "enviats",
    "correu enviat",
    "sendt",
    "sendte",
    "sendt e-post",
    "sendte mails",
    "skickat",
    "skickade",
    "lähetetyt",
    "sendur póstur",
    "wysłane",
    "odeslaná pošta",
    "odeslané",
    "odoslaná pošta",
    "odoslané",
    "elküldött",
    "elküldött levelek",
    "trimise",
    "mesaje trimise",
    "poslano",
    "poslana pošta",
    "saadetud",
    "saadetud kirjad",
    "nosūtītās vēstules",
    "išsiųsti laiškai",
    "gönderilmiş postalar",
    "gönderilenler",
    "anfonwyd",
    "απεσταλμένα",
    "отправленные",
    "надіслані",
    "изпратени",
    "送信済み",
    "已发送邮件",
    "寄件備份",
];
/// "Drafts", likewise.
const DRAFTS: [&str; 41] = [
    "draft",
    "drafts",
    "entwurf",
    "entwürfe",
    "brouillons",
    "brouillon",
    "borrador",
    "borradores",
    "rascunho",
    "rascunhos",
    "bozza",
    "bozze",
    "concept",
    "concepten",
    "esborranys",
    "kladder",
    "kladde",
    "utkast",
    "luonnokset",
    "drög",
    "wersje robocze",
    "koncepty",
    "rozepsané",
    "piszkozatok",
    "mesaje nefinalizate",
    "ciorne",
    "skice",
    "osnutki",
    "mustandid",
    "melnraksti",
    "juodraščiai",
    "taslaklar",
    "drafftiau",
    "πρόχειρα",
    "черновики",
    "чернетки",
    "чернови",
    "下書き",
    "草稿",
    "草稿箱",
    "임시보관함",
];

/// What the labels of a message say of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels {
    pub(super) sent: bool,
    pub(super) draft: bool,
}

/// The labels in the raw value of an `X-Gmail-Labels` field: a list with commas, quotes where a label holds one, the
/// whole of it often as encoded words.
pub(super) fn read(value: &[u8]) -> Labels {
    let text = decode(value);
    let mut labels = Labels::default();
    for label in text.split([',', ';']) {
        let label = label.trim().trim_matches('"').to_lowercase();
        labels.sent |= SENT.contains(&label.as_str());
        labels.draft |= DRAFTS.contains(&label.as_str());
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gmails_own_labels_are_known_in_other_languages() {
        assert_eq!(
            read(b"Sent,Opened"),
            Labels {
                sent: true,
                draft: false
            }
        );
        assert_eq!(
            read(b"=?UTF-8?Q?Messages_envoy=C3=A9s,Ouvert?="),
            Labels {
                sent: true,
                draft: false
            }
        );
        assert_eq!(
            read("Posteingang, \"Entwürfe\"".as_bytes()),
            Labels {
                sent: false,
                draft: true
            }
        );
        assert_eq!(read(b"Inbox,Not Sent,Presented"), Labels::default());
    }
}

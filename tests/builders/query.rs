//! A user's own query, as short as the checks allow.

/// The text of a query of this harm with these further tables, with one example that exposes and two that do not.
/// `shows` is a subject that it finds.
pub(crate) fn query(title: &str, harm: &str, tables: &str, shows: &str) -> String {
    format!(
        r#"title  = "{title}"
harm   = "{harm}"
data   = []
why    = "A test needs a group that no built-in query knows."
source = "invented"

{tables}

[[example]]
exposes = true
from = "desk@force.example"
field = "cc"
people = 20
subject = "{shows}"
body = "Dear all, {shows}."

[[example]]
exposes = false
from = "desk@force.example"
field = "bcc"
people = 20
subject = "{shows}"
body = "Hidden from one another."

[[example]]
exposes = false
from = "desk@force.example"
to = ["Carys Gwynne <carys.gwynne@webmail.example>"]
subject = "{shows}"
body = "To one person only."
"#
    )
}

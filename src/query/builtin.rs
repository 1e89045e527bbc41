//! The queries that ship with the program, as their files say them. A test keeps this list equal to the folder.

use super::{Query, Wrong};

macro_rules! queries {
    ($($id:literal),* $(,)?) => {
        /// Id and text of each built-in query, by id.
        pub const TEXTS: &[(&str, &str)] = &[$(($id, include_str!(concat!("../../queries/", $id, ".toml")))),*];
    };
}

queries![
    "adoption-care",
    "asylum-refugees",
    "bereaved",
    "biometric-enrolment",
    "cancer",
    "child-sexual-abuse",
    "childcare-funding",
    "compensation-claimants",
    "complainants",
    "crime-victims",
    "debt-benefits",
    "diabetes",
    "disability-chronic-illness",
    "domestic-abuse",
    "ethnic-origin",
    "fertility-pregnancy-loss",
    "gender-identity",
    "genetic-testing",
    "hiv",
    "homeless",
    "immigration-applicants",
    "infection-vaccination",
    "informants",
    "jobseekers",
    "mass-list",
    "mental-health",
    "missing-persons-families",
    "modern-slavery",
    "occupational-health",
    "offenders",
    "party-members",
    "patients",
    "personal-matter",
    "personal-matter-staff",
    "prisoners-probation",
    "redundancy-disciplinary",
    "religious-belief",
    "relocation-at-risk",
    "safeguarding",
    "send-families",
    "sensitive-service",
    "sex-life",
    "sexual-orientation",
    "sexual-violence",
    "staff-whistleblowers",
    "student-counselling",
    "substance-use",
    "suspects",
    "telling-words",
    "telling-words-staff",
    "trade-union-members",
    "trial-participants",
    "whistleblowers",
];

/// All built-in queries, checked, with their examples.
///
/// # Errors
/// None in a released program: a test reads them all.
pub fn all() -> Result<Vec<Query>, Wrong> {
    read(|id, file, text| Query::read(id, file, text, None))
}

/// All built-in queries without their examples, as a scan needs them.
///
/// # Errors
/// None in a released program: a test reads them all.
pub fn for_scan() -> Result<Vec<Query>, Wrong> {
    read(Query::without_examples)
}

fn read(one: impl Fn(&str, &str, &str) -> Result<Query, Wrong>) -> Result<Vec<Query>, Wrong> {
    TEXTS
        .iter()
        .map(|(id, text)| one(id, &format!("queries/{id}.toml"), text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_reads_all_of_a_query_but_its_examples() {
        let mut all = all().expect("they are well written");
        all.iter_mut().for_each(|query| query.examples.clear());
        let lean = for_scan().expect("they are well written");
        assert_eq!(format!("{lean:?}"), format!("{all:?}"));
    }
}

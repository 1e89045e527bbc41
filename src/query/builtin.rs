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
    "compensation-claimants",
    "complainants",
    "crime-victims",
    "debt-benefits",
    "disability-chronic-illness",
    "domestic-abuse",
    "ethnic-origin",
    "fertility-pregnancy-loss",
    "gender-identity",
    "genetic-testing",
    "hiv",
    "homeless",
    "immigration-applicants",
    "informants",
    "mass-list",
    "mental-health",
    "missing-persons-families",
    "modern-slavery",
    "occupational-health",
    "offenders",
    "party-members",
    "patients",
    "prisoners-probation",
    "redundancy-disciplinary",
    "religious-belief",
    "relocation-at-risk",
    "safeguarding",
    "send-families",
    "sex-life",
    "sexual-orientation",
    "sexual-violence",
    "staff-whistleblowers",
    "student-counselling",
    "substance-use",
    "suspects",
    "trade-union-members",
    "whistleblowers",
];

/// All built-in queries, checked.
///
/// # Errors
/// None in a released program: a test reads them all.
pub fn all() -> Result<Vec<Query>, Wrong> {
    TEXTS
        .iter()
        .map(|(id, text)| Query::read(id, &format!("queries/{id}.toml"), text, None))
        .collect()
}

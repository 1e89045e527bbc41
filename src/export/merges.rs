//! `merges.csv`: each address that is merged with another, and why; what an officer writes into `keep_apart` undoes it. See
//! `worksheet`.

use super::csv::Table;
use crate::case::merged::Merged;

/// The columns, in order.
pub const COLUMNS: [&str; 5] = [
    "person_id",
    "address",
    "merged_with",
    "reason",
    "keep_apart",
];

/// Makes the file, by address.
///
/// # Errors
/// None in practice.
pub fn make(merges: &[Merged]) -> anyhow::Result<Vec<u8>> {
    let mut table = Table::new(&COLUMNS)?;
    for row in merges {
        table.row([
            row.person_id.as_str(),
            &row.address,
            &row.merged_with,
            &row.reason,
            if row.keep_apart { "yes" } else { "" },
        ])?;
    }
    table.finish()
}

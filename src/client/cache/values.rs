//! Conversions for numbers in SQLite.

use rusqlite::Row;
use rusqlite::types::Type;

/// Converts to a signed integer, the only kind that SQLite has. No counter or time comes near its limit.
pub fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|_| damaged(column))
}

pub fn damaged(column: usize) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, "cannot read a value".into())
}

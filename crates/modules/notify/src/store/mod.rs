//! The only SQL of the module.

use proto::UserId;

/// A list of ids as a parameter.
macro_rules! ids_sqlite {
    ($param:literal) => {
        concat!("(SELECT unhex(value) FROM json_each(", $param, "))")
    };
}
macro_rules! ids_postgres {
    ($param:literal) => {
        concat!(
            "(SELECT CAST(value AS UUID) FROM jsonb_array_elements_text(CAST(CAST(",
            $param,
            " AS TEXT) AS JSONB)) AS t(value))"
        )
    };
}

pub(crate) mod keys;
pub(crate) mod people;
pub(crate) mod rungs;
pub(crate) mod shown;

fn ids_json(ids: impl IntoIterator<Item = uuid::Uuid>) -> String {
    let hex: Vec<String> = ids.into_iter().map(|id| id.simple().to_string()).collect();
    serde_json::json!(hex).to_string()
}

fn users_json(users: &[UserId]) -> String {
    ids_json(users.iter().map(|user| user.0))
}

//! Users and the tokens they sign in with.

use crate::{Db, Result, Tx, query, row, sql};

row! {
    /// Somebody who can sign in.
    pub struct User {
        pub id: i64,
        pub uuid: String,
        /// Always in lower case.
        pub email: String,
        pub first_name: String,
        pub last_name: String,
        /// The password's hash; `None` for somebody who only signs in through another system.
        pub password: Option<String>,
        pub is_active: bool,
        pub is_superuser: bool,
        pub sign_up_type: Option<String>,
        pub marketing_consent_given: bool,
        /// JSON the dashboard keeps about a new user's first steps.
        pub onboarding: Option<String>,
        pub date_joined: i64,
        pub last_login: Option<i64>,
    }
}

/// One user.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<User>> {
    sql!(
        tx,
        fetch_optional as User,
        "SELECT * FROM users WHERE id = $1",
        id
    )
}

/// The active user whose token has this hash.
pub async fn find_by_token(tx: &mut Tx, hash: &str) -> Result<Option<User>> {
    sql!(
        tx,
        fetch_optional as User,
        "SELECT u.* FROM users u JOIN user_tokens t ON t.user_id = u.id WHERE t.hash = $1 AND u.is_active",
        hash
    )
}

row! {
    /// Whether there are users at all.
    pub struct Presence {
        pub has_users: bool,
        pub has_logins: bool,
    }
}

/// Whether anybody has signed up, and in.
pub async fn presence(db: &Db) -> Result<Presence> {
    query!(
        db,
        fetch_one as Presence,
        "SELECT EXISTS (SELECT 1 FROM users) AS has_users,
                EXISTS (SELECT 1 FROM users WHERE last_login IS NOT NULL) AS has_logins"
    )
}

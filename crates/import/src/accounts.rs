//! Taking the accounts people have elsewhere and sign in with.

use burgee_store::imports;

use crate::configuration::Configuration;
use crate::report::Count;
use crate::taking::Taker;
use crate::{Result, noun};

/// Takes them, for everybody who was taken. An account that is somebody's here stays his.
pub(crate) async fn take(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let mut count = Count::default();
    for user in &from.users {
        let Some(id) = taker.id(noun::USER, user.id) else {
            continue;
        };
        for (provider, subject) in [("google", &user.google_user_id), ("github", &user.github_user_id)] {
            let Some(subject) = subject.as_deref().filter(|subject| !subject.is_empty()) else {
                continue;
            };
            let joined = user.date_joined.unwrap_or_default();
            let written = imports::insert_provider_account(taker.tx, provider, subject, id, joined).await?;
            count.found += 1;
            count.created += written;
            count.unchanged += 1 - written.min(1);
        }
    }
    taker.written += count.created;
    taker.report.count(noun::PROVIDER_ACCOUNT, &count);
    Ok(())
}

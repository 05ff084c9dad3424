//! Who a change is signed with, once permission has been asked: a caller, or the product on somebody's behalf.

use crate::Caller;

/// Whose name is under a change, and what occasioned it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Author<'a> {
    pub user_id: Option<i64>,
    pub api_key_id: Option<i64>,
    /// The change request that is carried out.
    pub request: Option<ChangeRequest<'a>>,
    /// Whether it was decided on earlier and only its time has come now.
    pub scheduled: bool,
}

/// A change request, as changes speak of it.
#[derive(Debug, Clone, Copy)]
pub struct ChangeRequest<'a> {
    pub id: i64,
    pub title: &'a str,
}

impl<'a> From<&'a Caller> for Author<'a> {
    fn from(caller: &'a Caller) -> Self {
        Self {
            user_id: caller.user_id(),
            api_key_id: caller.api_key_id(),
            ..Self::default()
        }
    }
}

impl<'a> Author<'a> {
    /// The same, carrying out a change request.
    #[must_use]
    pub fn for_request(mut self, id: i64, title: &'a str) -> Self {
        self.request = Some(ChangeRequest { id, title });
        self
    }

    /// The audit line for a change of a feature, where it says more than which part of the feature changed.
    pub(crate) fn line(&self, feature_name: &str) -> Option<String> {
        let line = if self.scheduled {
            format!(
                "Scheduled change to Flag state / Remote config value went live for feature: {feature_name}"
            )
        } else if self.request.is_some() {
            format!("Flag state / Remote Config value updated for feature: {feature_name}")
        } else {
            return None;
        };
        Some(self.credited(line))
    }

    /// The line, with the change request it is owed to.
    pub(crate) fn credited(&self, line: String) -> String {
        match self.request {
            Some(request) => format!("{line} by Change Request: {}", request.title),
            None => line,
        }
    }
}

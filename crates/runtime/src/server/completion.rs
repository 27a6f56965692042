//! Completion: ids by what people call the things, for prompts and resource templates.
//!
//! It helps, so it never fails because of the platform: where nothing can be told, nothing is offered.

use rmcp::model::{ArgumentInfo, CompletionInfo, Reference};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};

use super::Server;
use crate::caller::Caller;
use crate::dispatch::names::{Completed, complete};

impl Server {
    /// Ids that fit what was written so far.
    pub(super) async fn completed(
        &self,
        context: &RequestContext<RoleServer>,
        caller: &Caller,
        (reference, argument): (&Reference, &ArgumentInfo),
    ) -> Result<CompletionInfo, ErrorData> {
        let naming = match reference {
            Reference::Prompt(prompt) => {
                let prompt = self.prompt(caller, &prompt.name)?;
                let blank = prompt.arguments.iter().find(|blank| blank.name == argument.name);
                blank.map(|blank| blank.completes.as_str()).unwrap_or_default()
            }
            Reference::Resource(template) => {
                self.check_template(caller, &template.uri)?;
                argument.name.as_str()
            }
            _ => "",
        };
        let work =
            complete(self.service(), caller, (naming, &argument.value), CompletionInfo::MAX_VALUES);
        let found = tokio::select! {
            found = work => found,
            () = context.ct.cancelled() => Ok(Completed::default()),
        };
        let Completed { ids, total, more } = found.unwrap_or_else(|failure| {
            tracing::info!(code = %failure.code, "nothing is completed: {}", failure.code);
            Completed::default()
        });
        let total = u32::try_from(total).ok();
        CompletionInfo::with_pagination(ids, total, more)
            .map_err(|err| ErrorData::internal_error(err, None))
    }
}

//! A prompt: a template over the caller's arguments and the results of tool calls.

mod check;
mod fetch;
mod fill;
mod template;

use callgate_model::{Call, Content, Fault, Members, Message, PromptReply, Role};
use futures_util::future::try_join_all;

use self::{fetch::Fetch, template::Template};

/// A prompt, ready to be asked for.
#[derive(Debug)]
pub(super) struct Prompt {
    pub(super) offer: callgate_model::Prompt,
    data: Vec<Fetch>,
    template: Template,
}

impl Prompt {
    /// Fetches the data, all at once, and fills in the template.
    pub(super) async fn render(&self, call: &Call) -> Result<PromptReply, Fault> {
        let arguments = self.arguments(&call.arguments)?;
        let fetched = try_join_all(self.data.iter().map(|fetch| fetch.run(call, &arguments))).await?;
        let mut context = arguments;
        // The template sees an argument that was not given as the empty text: present, and false.
        for argument in &self.offer.arguments {
            context.entry(&argument.name).or_insert_with(|| "".into());
        }
        context.extend(fetched);
        let text = self.template.render(&context)?;
        let messages = vec![Message { role: Role::User, content: Content::text(text) }];
        Ok(PromptReply { description: self.offer.description.clone(), messages })
    }

    /// The arguments that were given, all declared, none required missing. An empty text counts as not given.
    fn arguments(&self, given: &Members) -> Result<Members, Fault> {
        let name = &self.offer.name;
        let declared = |key: &str| self.offer.arguments.iter().any(|argument| argument.name == key);
        if let Some(key) = given.keys().find(|key| !declared(key)) {
            let names: Vec<_> = self.offer.arguments.iter().map(|argument| format!("`{}`", argument.name)).collect();
            let known = if names.is_empty() { "it has none".into() } else { format!("it has {}", names.join(", ")) };
            let key: String = key.chars().filter(|c| !c.is_control()).take(80).collect();
            return Err(Fault::request(format!("prompt `{name}` has no argument `{key}`; {known}")));
        }
        if let Some((key, _)) = given.iter().find(|(_, value)| !value.is_string()) {
            return Err(Fault::request(format!("`{key}` must be a string: the arguments of a prompt are texts")));
        }
        let given: Members =
            given.iter().filter(|(_, value)| value.as_str() != Some("")).map(|(key, value)| (key.clone(), value.clone())).collect();
        match self.offer.arguments.iter().find(|argument| argument.required && !given.contains_key(&argument.name)) {
            Some(missing) => Err(Fault::request(format!("prompt `{name}` needs the argument `{}`", missing.name))),
            None => Ok(given),
        }
    }
}

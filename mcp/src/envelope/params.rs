//! The few parameters that decisions need: what is targeted, and the metadata of the request.

use serde_json::value::RawValue;

use super::{EnvelopeError, META_CLIENT_CAPABILITIES, META_PROTOCOL_VERSION};
use crate::json;

/// Which parameter names the target of a method; the same one that `Mcp-Name` mirrors (SEP-2243).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// `params.name`: `tools/call`, `prompts/get`.
    Name,
    /// `params.uri`: `resources/read`, `resources/subscribe`, `resources/unsubscribe`.
    Uri,
    /// `params.taskId`: the `tasks/*` methods.
    TaskId,
}

impl Target {
    /// The target of a method, for those that have one.
    pub fn of(method: &str) -> Option<Self> {
        match method {
            "tools/call" | "prompts/get" => Some(Self::Name),
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => Some(Self::Uri),
            "tasks/get" | "tasks/update" | "tasks/cancel" | "tasks/result" => Some(Self::TaskId),
            _ => None,
        }
    }

    /// The member of `params`.
    pub const fn member(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Uri => "uri",
            Self::TaskId => "taskId",
        }
    }
}

/// What was found in `params`. A target of another type than string is none: vendor methods may use the words freely.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Params {
    pub(super) name: Option<Box<str>>,
    pub(super) uri: Option<Box<str>>,
    pub(super) task_id: Option<Box<str>>,
    pub(super) protocol_version: Option<Box<str>>,
    pub(super) progress_token: Option<Box<str>>,
    pub(super) states_capabilities: bool,
}

impl Params {
    /// The parameters, and the arguments where they stand there once.
    pub(super) fn parse_with_arguments<'a>(
        method: &str,
        params: &'a RawValue,
    ) -> Result<(Self, Option<&'a RawValue>), EnvelopeError> {
        if json::is_null(params) {
            return Ok(<_>::default()); // several clients write an absent value this way
        }
        if !json::is_object(params) {
            return Err(EnvelopeError::WrongType("params"));
        }
        let target = Target::of(method).map(Target::member);
        let [mut name, mut uri, mut task_id, mut meta, mut arguments] = [Slot::EMPTY; 5];
        let mut look_alike = None;
        json::for_each_member(params.get(), |key, value| match key {
            "name" => name.put(value),
            "uri" => uri.put(value),
            "taskId" => task_id.put(value),
            "_meta" => meta.put(value),
            "arguments" => arguments.put(value),
            _ => look_alike = look_alike.or_else(|| looks_like(key, target.as_slice())),
        })
        .map_err(|_| EnvelopeError::NotJson)?;
        if let Some(member) = look_alike {
            return Err(EnvelopeError::LookAlike(member));
        }
        let text = |value: &RawValue| json::text(value).map(Into::into);
        let mut found = Self {
            name: name.single("params.name")?.and_then(text),
            uri: uri.single("params.uri")?.and_then(text),
            task_id: task_id.single("params.taskId")?.and_then(text),
            ..Self::default()
        };
        if let Some(meta) = meta.single("params._meta")?.filter(|meta| !json::is_null(meta)) {
            found.read_meta(meta)?;
        }
        Ok((found, arguments.single("params.arguments").unwrap_or_default()))
    }

    fn read_meta(&mut self, meta: &RawValue) -> Result<(), EnvelopeError> {
        if !json::is_object(meta) {
            return Err(EnvelopeError::WrongType("params._meta"));
        }
        let [mut version, mut token] = [Slot::EMPTY; 2];
        let mut states_capabilities = false;
        json::for_each_member(meta.get(), |key, value| match key {
            META_PROTOCOL_VERSION => version.put(value),
            "progressToken" => token.put(value),
            META_CLIENT_CAPABILITIES => states_capabilities = json::is_object(value),
            _ => {}
        })
        .map_err(|_| EnvelopeError::NotJson)?;
        if let Some(version) = version.single(META_PROTOCOL_VERSION)? {
            let text = json::text(version).ok_or(EnvelopeError::WrongType(META_PROTOCOL_VERSION))?;
            self.protocol_version = Some(text.into());
        }
        self.states_capabilities = states_capabilities;
        self.progress_token = token.single("progressToken")?.map(|token| token.get().into());
        Ok(())
    }

    pub(super) fn target(&self, target: Target) -> Option<&str> {
        match target {
            Target::Name => self.name.as_deref(),
            Target::Uri => self.uri.as_deref(),
            Target::TaskId => self.task_id.as_deref(),
        }
    }
}

/// Room for one member that may stand there once.
#[derive(Clone, Copy)]
pub(super) enum Slot<'a> {
    Empty,
    Once(&'a RawValue),
    Again,
}

impl<'a> Slot<'a> {
    pub(super) const EMPTY: Self = Self::Empty;

    pub(super) fn put(&mut self, value: &'a RawValue) {
        *self = match self {
            Self::Empty => Self::Once(value),
            Self::Once(_) | Self::Again => Self::Again,
        };
    }

    pub(super) fn single(self, member: &'static str) -> Result<Option<&'a RawValue>, EnvelopeError> {
        match self {
            Self::Empty => Ok(None),
            Self::Once(value) => Ok(Some(value)),
            Self::Again => Err(EnvelopeError::Duplicate(member)),
        }
    }
}

/// The member that a case-folding reader would take `key` for. Folds as Go does: ASCII case, and the two letters
/// outside ASCII that fold into it (long s, Kelvin sign).
pub(super) fn looks_like(key: &str, members: &[&'static str]) -> Option<&'static str> {
    let folded = |text: &str| -> Option<String> {
        text.chars()
            .map(|letter| match letter {
                '\u{17f}' => Some('s'),
                '\u{212a}' => Some('k'),
                _ => letter.is_ascii().then(|| letter.to_ascii_lowercase()),
            })
            .collect()
    };
    let longest = members.iter().map(|member| member.len()).max()?;
    if key.len() > 3 * longest {
        return None; // a folded letter has at most three bytes: no need to walk a long key
    }
    let key = folded(key)?;
    members.iter().copied().find(|member| member.eq_ignore_ascii_case(&key))
}

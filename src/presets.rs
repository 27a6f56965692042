//! Room presets: those that are built in and those of the operator's folder, read and checked at start. It sends nothing and knows no device.

mod check;
mod fault;
mod file;
mod folder;
mod template;
mod yaml;

use std::collections::BTreeMap;
use std::path::Path;

pub(crate) use fault::Faults;
pub(crate) use file::{CommandState, OnFailure, Preset, Select, Step, WaitFor};
pub(crate) use template::fill;

/// The preset that `shutdown_meeting_room` runs.
pub(crate) const SHUTDOWN: &str = "shutdown";

/// Presets that `start_meeting_room_preset` runs when none is named: the first that there is. Folders of the minimal format call theirs `default`.
const UNNAMED: [&str; 2] = ["default", "meeting"];

const BUILT_IN: [(&str, &str); 2] = [
    ("meeting.yaml", include_str!("../presets/meeting.yaml")),
    ("shutdown.yaml", include_str!("../presets/shutdown.yaml")),
];

/// Every preset by its name.
#[derive(Debug)]
pub(crate) struct Presets(BTreeMap<String, Preset>);

impl Presets {
    /// Reads the presets that are built in, and those of a folder; a file there replaces the preset of its name.
    ///
    /// # Errors
    /// With all faults of all files.
    pub(crate) fn load(folder: Option<&Path>) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let mut presets = BTreeMap::new();
        let built_in = BUILT_IN.map(|(name, text)| folder::Text {
            shown: format!("presets/{name}"),
            name: name.trim_end_matches(".yaml").to_owned(),
            text: text.to_owned(),
        });
        let own = folder.map(|folder| folder::read(folder, &mut faults)).unwrap_or_default();
        for text in built_in.into_iter().chain(own) {
            match check::read(&text.shown, &text.text) {
                Ok(preset) => {
                    presets.insert(text.name, preset);
                }
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(Self(presets)) } else { Err(Faults(faults)) }
    }

    /// A preset by its name, or the one that is meant where none is named, with its name.
    pub(crate) fn find(&self, name: Option<&str>) -> Option<(&str, &Preset)> {
        let mut wanted = name.map_or_else(|| UNNAMED.to_vec(), |name| vec![name]).into_iter();
        let found = wanted.find_map(|name| self.0.get_key_value(name));
        found.map(|(name, preset)| (name.as_str(), preset))
    }

    /// All names.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_presets_can_be_read() {
        let presets = Presets::load(None).unwrap();
        assert_eq!(presets.names(), ["meeting", "shutdown"]);
        assert_eq!(presets.find(None).unwrap().0, "meeting");
        assert!(presets.find(Some("../meeting")).is_none());
    }
}

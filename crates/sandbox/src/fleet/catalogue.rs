//! The vendors' models: nine, of which three cannot be rebooted.

use crate::{
    fleet::VENDOR,
    nouns::model::{Input, Model, Offered, Parameter},
    prng::Prng,
};

/// Places of the models in the catalogue.
pub(crate) const DISPLAY: usize = 0;
pub(crate) const PROJECTOR: usize = 1;
pub(crate) const SMALL_PROJECTOR: usize = 2;
pub(crate) const CAMERA: usize = 3;
pub(crate) const DSP: usize = 4;
pub(crate) const CODEC: usize = 5;
pub(crate) const TOUCH: usize = 6;
pub(crate) const SENSOR: usize = 7;
pub(crate) const SIGN: usize = 8;

/// Firmware in the field, oldest first; the last one is the newest of every model.
pub(crate) const FIRMWARE: [&str; 3] = ["2.2.0", "2.3.7", "2.4.1"];

const INPUTS: &[&str] = &["hdmi1", "hdmi2", "usb-c", "none"];
const PRESETS: &[&str] = &["meeting", "presentation", "off"];

pub(crate) fn models(rng: &mut Prng) -> Vec<Model> {
    let reboot = || plain("reboot", "Restart");
    let power = || vec![plain("power_on", "Power on"), plain("power_off", "Power off")];
    let input = || chosen("set_input", "Set input", "input", INPUTS);
    let preset = || chosen("recall_preset", "Recall preset", "preset", PRESETS);
    let with = |mut commands: Vec<Offered>, more: Vec<Offered>| {
        commands.extend(more);
        commands
    };
    let file = Offered { with_file: true, ..plain("upload_content", "Upload content") };
    let described: [(&str, &str, &str, Vec<Offered>); 9] = [
        (VENDOR, "Panel 55", "P55", with(power(), vec![reboot(), input()])),
        (VENDOR, "ProBeam 4K Projector", "PB4K", with(power(), vec![reboot(), input()])),
        (VENDOR, "Spark Mini Projector", "SMP", power()),
        ("Adatum", "RoomCam 12x", "RC12", vec![reboot(), preset()]),
        ("Adatum", "AudioMatrix DSP 8", "AMX8", vec![reboot(), preset()]),
        ("Litware", "Meet Codec Pro", "MCP", vec![reboot(), preset()]),
        ("Litware", "TouchPanel 10", "TP10", vec![reboot()]),
        ("Tailspin", "EnviroSense", "ES1", vec![plain("identify", "Identify")]),
        ("Tailspin", "SignPlayer 4", "SP4", vec![plain("refresh", "Refresh content"), file]),
    ];
    let mut models: Vec<Model> = Vec::new();
    for (place, (vendor, name, alias, commands)) in described.into_iter().enumerate() {
        models.push(Model {
            id: rng.uuid(),
            vendor: vendor.to_owned(),
            name: name.to_owned(),
            aliases: vec![alias.to_owned()],
            parameters: parameters(place),
            commands,
        });
    }
    "9f2d7a34-0b7e-4a77-8a52-61b1f0a3d9c4".clone_into(&mut models[DISPLAY].id);
    models
}

/// Displays and codecs can sit behind an edge.
fn parameters(place: usize) -> Vec<Parameter> {
    let parameter = |name: &str, kind| Parameter { name: name.to_owned(), kind, required: false };
    match place {
        DISPLAY => vec![parameter("Port", "number")],
        CODEC => vec![
            parameter("Port", "number"),
            parameter("Username", "text"),
            parameter("Password", "password"),
        ],
        _ => Vec::new(),
    }
}

fn plain(name: &str, friendly_name: &str) -> Offered {
    Offered {
        name: name.to_owned(),
        friendly_name: friendly_name.to_owned(),
        inputs: Vec::new(),
        with_file: false,
    }
}

fn chosen(name: &str, friendly: &str, input: &str, choices: &[&'static str]) -> Offered {
    let input = Input { name: input.to_owned(), required: true, choices: choices.to_vec() };
    Offered { inputs: vec![input], ..plain(name, friendly) }
}

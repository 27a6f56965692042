//! Unpacks the two files of Swagger UI that the page at `/docs` needs.

use std::io::{Cursor, copy};
use std::path::PathBuf;
use std::{env, fs};

/// The parts of the archive that are served.
const FILES: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let archive = Cursor::new(utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED);
    let mut archive = zip::ZipArchive::new(archive)?;
    for file in FILES {
        let path = archive
            .file_names()
            .filter_map(Result::ok)
            .find(|name| name.ends_with(&format!("/dist/{file}")))
            .ok_or_else(|| format!("the archive of Swagger UI has no dist/{file}"))?
            .into_owned();
        copy(&mut archive.by_name(&path)?, &mut fs::File::create(out.join(file))?)?;
    }
    Ok(())
}

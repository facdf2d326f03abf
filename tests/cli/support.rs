//! Running the program and looking at what it said and wrote.

use assert_cmd::Command;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }
}

/// The program, whose every date is 2026-11-25.
pub fn cadproof() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cadproof"));
    command.env("SOURCE_DATE_EPOCH", "1795600800").env("NO_COLOR", "1").env_remove("ORT_DYLIB_PATH");
    command
}

pub fn say(arguments: &[&str], folder: &Path) -> Said {
    say_with(cadproof(), arguments, folder)
}

pub fn say_with(mut command: Command, arguments: &[&str], folder: &Path) -> Said {
    let output = command.args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// As [`say`], for what must work.
pub fn done(arguments: &[&str], folder: &Path) -> Said {
    let said = say(arguments, folder);
    assert_eq!(said.code, 0, "{arguments:?}\n{}\n{}", said.out, said.err);
    said
}

pub fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("studies").join(name)
}

/// A copy of a shipped study's inputs.
pub fn copy(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["study.toml", "cases.csv", "model.onnx"] {
        std::fs::copy(shipped(name).join(file), folder.path().join(file)).unwrap();
    }
    if let Ok(images) = std::fs::read_dir(shipped(name).join("images")) {
        std::fs::create_dir(folder.path().join("images")).unwrap();
        for image in images.map(Result::unwrap) {
            std::fs::copy(image.path(), folder.path().join("images").join(image.file_name())).unwrap();
        }
    }
    folder
}

/// Every file below `folder` with its bytes.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

/// Replaces `from`, which must be there, in a file.
pub fn edit(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{}: no {from:?}", path.display());
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

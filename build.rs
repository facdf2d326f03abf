//! Lists the files of the shipped studies that `cadproof demo` carries: the inputs, not what is made from them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| io::Error::other("no CARGO_MANIFEST_DIR"))?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no OUT_DIR"))?);
    println!("cargo::rerun-if-changed=build.rs");
    let mut list = "&[\n".to_owned();
    for study in ["breast-fna", "nuclei"] {
        let folder = root.join("studies").join(study);
        for file in inputs(&folder)? {
            let path = folder.join(&file);
            println!("cargo::rerun-if-changed={}", path.display());
            // Writing to a String cannot fail.
            let _ = writeln!(list, "({study:?}, {file:?}, include_bytes!({:?})),", path.display().to_string());
        }
    }
    list.push_str("]\n");
    fs::write(out.join("studies.rs"), list)
}

/// Paths in the folder, with `/`, sorted.
fn inputs(folder: &Path) -> io::Result<Vec<String>> {
    let mut files: Vec<String> = ["study.toml", "cases.csv", "model.onnx", "SOURCE.md", "LICENSE-stardist.txt"]
        .into_iter()
        .filter(|name| folder.join(name).is_file())
        .map(str::to_owned)
        .collect();
    let images = folder.join("images");
    if images.is_dir() {
        println!("cargo::rerun-if-changed={}", images.display());
        for entry in fs::read_dir(&images)? {
            files.push(format!("images/{}", entry?.file_name().to_string_lossy()));
        }
    }
    files.sort();
    Ok(files)
}

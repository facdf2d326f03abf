//! SHA-256 of files and the Merkle root over them.

use crate::error::Error;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::Path;

/// Lower-case hexadecimal SHA-256.
pub fn of_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 and size of a file, read in pieces.
pub fn of_file(path: &Path) -> Result<(String, u64), Error> {
    let mut file = std::fs::File::open(path).map_err(|source| Error::io(path, source))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer).map_err(|source| Error::io(path, source))?;
        if read == 0 {
            return Ok((hex(&digest.finalize()), size));
        }
        digest.update(&buffer[..read]);
        size += read as u64;
    }
}

/// All files on all cores; the answer is in the order of `paths`.
pub fn of_files(paths: &[std::path::PathBuf]) -> Result<Vec<(String, u64)>, Error> {
    paths.par_iter().map(|path| of_file(path)).collect()
}

/// Merkle root in the manner of RFC 6962: leaf = H(0x00 ‖ name ‖ 0x00 ‖ hash), node = H(0x01 ‖ left ‖ right), an odd last
/// node goes up as it is. `leaves` must be sorted by name, so that one set of files has one root.
pub fn merkle_root(leaves: &[(&str, &str)]) -> String {
    let mut level: Vec<Vec<u8>> = leaves
        .iter()
        .map(|(name, hash)| {
            let mut digest = Sha256::new();
            digest.update([0]);
            digest.update(name.as_bytes());
            digest.update([0]);
            digest.update(hash.as_bytes());
            digest.finalize().to_vec()
        })
        .collect();
    if level.is_empty() {
        return of_bytes(b"");
    }
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => {
                    let mut digest = Sha256::new();
                    digest.update([1]);
                    digest.update(left);
                    digest.update(right);
                    digest.finalize().to_vec()
                }
                _ => pair[0].clone(),
            })
            .collect();
    }
    hex(&level[0])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_sha_256() {
        // FIPS 180-4, example "abc".
        assert_eq!(of_bytes(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn the_root_changes_with_any_leaf_and_with_names() {
        let root = merkle_root(&[("a", "1"), ("b", "2"), ("c", "3")]);
        assert_ne!(root, merkle_root(&[("a", "1"), ("b", "2"), ("c", "4")]));
        assert_ne!(root, merkle_root(&[("a", "1"), ("b", "2"), ("d", "3")]));
        assert_ne!(root, merkle_root(&[("a", "1"), ("b", "2")]));
        assert_eq!(root, merkle_root(&[("a", "1"), ("b", "2"), ("c", "3")]));
    }
}

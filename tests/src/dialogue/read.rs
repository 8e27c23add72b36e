use std::fs;
use std::path::PathBuf;

use super::Table;

/// The folder of this crate, where the tables are.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All tables, by file name.
pub fn tables() -> Vec<(String, Table)> {
    let mut files: Vec<_> =
        fs::read_dir(folder().join("vectors")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let table = toml::from_str(&fs::read_to_string(&path).unwrap());
            (name, table.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        })
        .collect()
}

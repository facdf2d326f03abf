//! `cadproof`, the program. Everything it does stands in the library.

fn main() -> std::process::ExitCode {
    cadproof::cli::main()
}

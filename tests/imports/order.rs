//! The floors of the house: a room of the library, which is a module of `src/lib.rs`, uses only rooms that
//! stand before it in the table of floors there, and a shelf of the program only shelves that stand before it
//! in the table of `src/cli/mod.rs`. So no two rooms use each other, and who reads them in that order meets
//! nothing that was not said.

use super::source::{code, files, read, source};

/// A module whose children stand in an order.
struct House {
    /// Its file, in whose comment the table of the order is.
    file: &'static str,
    /// What stands before the table there.
    title: &'static str,
    /// The folder of the children.
    folder: &'static str,
    /// The path of the module in code, `::` included.
    path: &'static str,
}

const LIBRARY: House = House { file: "lib.rs", title: "//! # The floors", folder: ".", path: "crate::" };

const PROGRAM: House =
    House { file: "cli/mod.rs", title: "//! | shelf, in the order of imports", folder: "cli", path: "crate::cli::" };

/// The rooms in the order of the house's table: all names in square brackets in it.
fn rooms(house: &House) -> Vec<String> {
    let text = read(&source().join(house.file));
    let section = text.split(house.title).nth(1).unwrap_or_else(|| panic!("{} has no {}", house.file, house.title));
    let table = section.lines().filter(|line| line.starts_with("//! | ")).collect::<String>();
    table.split("[`").skip(1).map(|rest| rest.split('`').next().unwrap_or_default().to_string()).collect()
}

/// The rooms that code `depth` modules below the house names: behind the path of the house, or behind so
/// many `super::`.
fn used(code: &str, path: &str, depth: usize) -> Vec<String> {
    let mut names = Vec::new();
    for root in [path.to_string(), "super::".repeat(depth)] {
        for (place, _) in code.match_indices(&root) {
            let before = code[..place].chars().next_back();
            let longer = before.is_some_and(|char| char.is_alphanumeric() || "_:$".contains(char));
            if !longer {
                names.extend(first_names(&code[place + root.len()..]));
            }
        }
    }
    names
}

/// The first names of the paths that begin here: one, or those within braces.
fn first_names(rest: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut names, mut depth, mut begins) = (Vec::new(), 0, true);
    for (place, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            _ if begins && !char.is_whitespace() => {
                names.push(name(&group[place..]));
                begins = false;
            }
            _ => {}
        }
    }
    names
}

/// The room that a first name leads to: `Error` and `Result` are re-exported at the root.
fn room_of(name: &str) -> &str {
    if matches!(name, "Error" | "Result") { "error" } else { name }
}

/// Those of `used` that stand at or behind `room` in `rooms`, the room itself left out.
fn upward<'a>(rooms: &[String], room: &str, used: &'a [String]) -> Vec<&'a str> {
    let place = |name: &str| rooms.iter().position(|room| room == name);
    let names = used.iter().map(|name| room_of(name)).filter(|name| *name != room);
    names.filter(|name| place(name) >= place(room)).collect()
}

fn check_table(house: &House) {
    let text = read(&source().join(house.file));
    let module = |line: &str| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';').map(String::from)
    };
    // The course has no code of its own: its pages are compiled for doctests alone.
    let text = text.replace("#[cfg(doctest)]\nmod course;", "");
    let mut modules: Vec<String> = text.lines().filter_map(module).collect();
    let mut rooms = rooms(house);
    modules.sort_unstable();
    rooms.sort_unstable();
    assert_eq!(rooms, modules, "{}", house.file);
}

fn check_imports(house: &House) {
    let rooms = rooms(house);
    let folder = source().join(house.folder);
    let mut wrong = Vec::new();
    for room in &rooms {
        let mut found = vec![(folder.join(format!("{room}.rs")), 1)];
        found.retain(|(path, _)| path.exists());
        files(&folder.join(room), 1, &mut found);
        assert!(!found.is_empty(), "{room} has no files");
        for (path, depth) in found {
            let used = used(&code(&read(&path)), house.path, depth);
            let names = upward(&rooms, room, &used);
            wrong.extend(names.iter().map(|name| format!("{} uses {name}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "rooms that stand later in the table of {}:\n{}", house.file, wrong.join("\n"));
}

#[test]
fn the_tables_of_the_order_hold_every_room_once() {
    check_table(&LIBRARY);
    check_table(&PROGRAM);
}

#[test]
fn every_room_uses_only_rooms_that_stand_before_it() {
    check_imports(&LIBRARY);
    check_imports(&PROGRAM);
}

#[test]
fn an_import_from_a_later_room_is_found_in_every_form_and_none_where_there_is_none() {
    let rooms = ["error", "layers", "plan", "report"].map(String::from);
    let found = |text: &str, depth| {
        let used = used(&code(text), "crate::", depth);
        upward(&rooms, "plan", &used).join(" ")
    };
    assert_eq!(found("use crate::report::csv;", 1), "report");
    assert_eq!(found("use crate::{\n    Error,\n    layers::{Dense, Relu},\n    report::csv,\n};", 2), "report");
    assert_eq!(found("let line = crate::report::line(1);", 1), "report");
    assert_eq!(found("use super::super::report;\nuse super::report;", 2), "report");
    assert_eq!(found("#[cfg(test)]\nmod tests {\n    use crate::layers;\n}\nuse crate::report;", 1), "report");
    assert_eq!(found("use crate::plan::Step;\nuse crate::{Error, Result};\nuse crate::layers::Layer;", 1), "");
    assert_eq!(found("/// [`crate::report`]\n#[cfg(test)]\nmod tests {\n    use crate::report;\n}", 1), "");
}

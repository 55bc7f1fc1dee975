//! Circles of files: within a module, neither its children nor the module's own file use each other in a
//! circle, directly or round about. What two of them use stands in a third.
//!
//! A `use` or a path counts for the file that defines what it names: re-exports are followed, and to
//! re-export is not to use.

use super::source::{code, files, read, source};
use std::collections::{BTreeMap, BTreeSet};

/// The names of a path, as `conv`, `frame`, `clip`; of a module, from the root of its crate on.
type Names = Vec<String>;

fn names(path: &str) -> Names {
    path.split("::").filter(|name| !name.is_empty()).map(String::from).collect()
}

/// An import: its path, the name it goes by, and whether others can reach it here.
struct Import {
    path: Names,
    name: String,
    public: bool,
}

/// A file: its imports, and the paths in the rest of its code.
struct File {
    imports: Vec<Import>,
    rest: String,
}

impl File {
    fn new(text: &str) -> File {
        let code = code(text);
        let (mut imports, mut rest, mut left) = (Vec::new(), String::new(), &code[..]);
        while let Some(line) = left.split_inclusive('\n').next() {
            let item = line.trim_start();
            let visibility = item.strip_prefix("pub").map(|item| match item.strip_prefix('(') {
                Some(scope) => scope.split_once(')').map_or(item, |(_, item)| item).trim_start(),
                None => item.trim_start(),
            });
            let Some(_) = visibility.unwrap_or(item).strip_prefix("use ") else {
                rest += line;
                left = &left[line.len()..];
                continue;
            };
            let begin = left.find("use ").expect("found above") + "use ".len();
            let end = left.find(';').expect("an import ends with a semicolon");
            expand(Names::new(), &left[begin..end], visibility.is_some(), &mut imports);
            left = &left[end + 1..];
        }
        File { imports, rest }
    }

    /// Returns the paths of at least two names in the code beside the imports.
    fn paths(&self) -> Vec<Names> {
        let in_path = |char: char| char.is_alphanumeric() || char == '_' || char == ':';
        let words = self.rest.split(|char| !in_path(char)).filter(|word| word.contains("::"));
        words.map(|word| names(word.trim_end_matches(':'))).filter(|path| path.len() > 1).collect()
    }

    /// Returns whether the code beside the imports has this name.
    fn mentions(&self, name: &str) -> bool {
        self.rest.split(|char: char| !(char.is_alphanumeric() || char == '_')).any(|word| word == name)
    }
}

/// Adds the imports of a tree, whose paths begin with `before`.
fn expand(before: Names, tree: &str, public: bool, imports: &mut Vec<Import>) {
    let tree = tree.trim();
    if let Some((start, group)) = tree.split_once('{') {
        let path: Names = before.into_iter().chain(names(start.trim())).collect();
        let group = group.strip_suffix('}').expect("a group ends with a brace");
        let (mut depth, mut begin) = (0, 0);
        for (place, char) in group.char_indices().chain([(group.len(), ',')]) {
            match char {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    let branch = &group[begin..place];
                    begin = place + 1;
                    if !branch.trim().is_empty() {
                        expand(path.clone(), branch, public, imports);
                    }
                }
                _ => {}
            }
        }
        return;
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
    let mut path: Names = before.into_iter().chain(names(path.trim())).collect();
    if path.last().is_some_and(|name| name == "self") && path.len() > 1 {
        path.pop();
    }
    let name = alias.map(String::from).or_else(|| path.last().cloned()).expect("an import has a name");
    imports.push(Import { path, name, public });
}

/// All files, by their modules' paths.
struct Tree(BTreeMap<Names, File>);

impl Tree {
    /// Reads the source.
    fn read() -> Tree {
        let mut found = Vec::new();
        files(&source(), 0, &mut found);
        let module = |path: &std::path::Path| {
            let path = path.strip_prefix(source()).expect("below the source").with_extension("");
            let mut module: Names = path.iter().map(|name| name.to_string_lossy().into_owned()).collect();
            module.retain(|name| !matches!(&name[..], "mod" | "lib" | "main"));
            module
        };
        // The two roots, of the library and the program, have no siblings.
        let files = found.into_iter().map(|(path, _)| (module(&path), File::new(&read(&path))));
        Tree(files.filter(|(module, _)| !module.is_empty()).collect())
    }

    fn is_module(&self, path: &[String]) -> bool {
        path.is_empty() || self.0.contains_key(path)
    }

    /// Returns a path in the code of `module` as one from the root on, or nothing for one out of the crate.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<Names> {
        let (first, rest) = path.split_first()?;
        let child = [module, std::slice::from_ref(first)].concat();
        match &first[..] {
            "crate" => Some(rest.to_vec()),
            "self" => Some([module, rest].concat()),
            "super" => {
                let up = path.iter().take_while(|name| *name == "super").count();
                Some([&module[..module.len().checked_sub(up)?], &path[up..]].concat())
            }
            _ if self.is_module(&child) => Some([&child, rest].concat()),
            _ => None,
        }
    }

    /// Returns the module whose file defines what a path in the code of `module` names.
    fn resolve(&self, module: &[String], path: &[String]) -> Option<Names> {
        let path = self.absolute(module, path)?;
        let mut owner = Names::new();
        for (place, name) in path.iter().enumerate() {
            let child = [&owner[..], std::slice::from_ref(name)].concat();
            if self.is_module(&child) {
                owner = child;
                continue;
            }
            let imports = self.0.get(&owner).map_or(&[][..], |file| &file.imports);
            // A glob may hide the name, too; what it brings in is looked for in its module alone.
            let import = imports.iter().find(|import| import.name == *name && import.path.last() != Some(&"*".into()));
            return match import {
                Some(import) => {
                    let path = [&import.path[..], &path[place + 1..]].concat();
                    self.resolve(&owner, &path).or(Some(owner))
                }
                None => Some(owner),
            };
        }
        Some(owner)
    }

    /// Returns the modules that a module's own file uses, each with a path that says so.
    fn used(&self, module: &Names) -> BTreeMap<Names, String> {
        let file = &self.0[module];
        let re_exported =
            |import: &Import, owner: &Names| import.public && owner.starts_with(module) && !file.mentions(&import.name);
        let mut used = BTreeMap::new();
        for import in &file.imports {
            if let Some(owner) = self.resolve(module, &import.path).filter(|owner| !re_exported(import, owner)) {
                used.entry(owner).or_insert_with(|| import.path.join("::"));
            }
        }
        for path in file.paths() {
            if let Some(owner) = self.resolve(module, &path) {
                used.entry(owner).or_insert_with(|| path.join("::"));
            }
        }
        used.remove(module);
        used
    }

    /// Returns the circles, each with the module in which it closes.
    fn circles(&self) -> Vec<(String, String)> {
        let uses: BTreeMap<&Names, _> = self.0.keys().map(|module| (module, self.used(module))).collect();
        let mut circles = Vec::new();
        for module in self.0.keys() {
            // A child stands for all below it; an empty name stands for the module's own file.
            let node = |path: &Names| {
                let below = path.strip_prefix(&module[..])?;
                Some(below.first().cloned().unwrap_or_default())
            };
            let mut edges: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
            for (user, used) in &uses {
                for (owner, path) in used {
                    if let (Some(from), Some(to)) = (node(user), node(owner))
                        && from != to
                    {
                        let text = format!("{} uses {path}", user.join("/"));
                        edges.entry(from).or_default().entry(to).or_insert(text);
                    }
                }
            }
            circles.extend(circles_of(&edges).into_iter().map(|circle| (module.join("::"), circle)));
        }
        circles
    }
}

/// Returns short circles that together pass every node that is in one, an edge a line.
fn circles_of(edges: &BTreeMap<String, BTreeMap<String, String>>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for start in edges.keys() {
        // The edge by which each node was first reached from the start.
        let mut reached_by: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
        let mut queue = std::collections::VecDeque::from([&start[..]]);
        while let Some(from) = queue.pop_front() {
            for (to, text) in edges.get(from).into_iter().flatten() {
                reached_by.entry(to).or_insert_with(|| {
                    queue.push_back(to);
                    (from, text)
                });
            }
        }
        if !reached_by.contains_key(&start[..]) || seen.contains(&start[..]) {
            continue;
        }
        let (mut lines, mut node) = (Vec::new(), &start[..]);
        loop {
            let (from, text) = reached_by[node];
            lines.push(format!("    {text}"));
            seen.insert(node);
            node = from;
            if node == start {
                break;
            }
        }
        lines.reverse();
        circles.push(lines.join("\n"));
    }
    circles
}

#[test]
fn no_files_of_a_module_use_each_other_in_a_circle() {
    let circles = Tree::read().circles();
    let told: Vec<String> = circles.iter().map(|(module, circle)| format!("{module}:\n{circle}")).collect();
    assert!(told.is_empty(), "{} circles:\n{}", told.len(), told.join("\n"));
}

#[test]
fn a_circle_is_found_in_every_form_and_none_where_there_is_none() {
    let found = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(module, text)| (names(module), File::new(text)));
        let circles = Tree(files.collect()).circles();
        circles.into_iter().map(|(module, circle)| format!("{module}:\n{circle}")).collect::<Vec<_>>().join("\n")
    };
    // Two children, one by its name alone; and three, round about and by a folder of one.
    assert_eq!(
        found(&[("a", ""), ("a::b", "use super::c::{self, C as D};"), ("a::c", "fn c() {\n    super::b::b();\n}")]),
        "a:\n    a/b uses super::c\n    a/c uses super::b::b"
    );
    let round = [("a", ""), ("a::b", ""), ("a::b::x", "use crate::a::c;"), ("a::c", "use super::d::D;")];
    assert_eq!(
        found(&[&round[..], &[("a::d", "use crate::{\n    a::{\n        b::B,\n    },\n};")]].concat()),
        "a:\n    a/b/x uses crate::a::c\n    a/c uses super::d::D\n    a/d uses crate::a::b::B"
    );
    // A child and its parent, which uses what it re-exports.
    assert_eq!(
        found(&[("a", "mod b;\npub use b::B;\nfn a() -> B {}"), ("a::b", "use super::A;")]),
        "a:\n    a uses b::B\n    a/b uses super::A"
    );
    // A parent that re-exports a child's item does not use it, and who uses that by the parent uses the
    // child.
    let files = [("a", "mod b;\nmod c;\npub(crate) use b::{B, B as D};"), ("a::b", ""), ("a::c", "use super::D;")];
    assert_eq!(found(&files), "");
    assert_eq!(
        found(&[&files[..1], &[("a::b", "use super::c::C;"), ("a::c", "use super::D;")]].concat()),
        "a:\n    a/b uses super::c::C\n    a/c uses super::D"
    );
    // Comments, tests and other crates.
    let other = "use std::a::c;\n/// [`super::c`]\n#[cfg(test)]\nmod tests {\n    use super::c;\n}";
    assert_eq!(found(&[("a", ""), ("a::b", other), ("a::c", "use super::b;")]), "");
}

//! A table of labels: a CSV file with a row for each image, which tells where it is and of which class.
//!
//! The first row names the columns. Which of them holds the paths, the labels, the groups and the parts of a
//! split, their names tell, or who gives the table. The delimiter is a comma, a semicolon or a tab.
//!
//! An image may have several labels, if who gives the table says so: by naming a column for each, which holds
//! 1 where the image has the label and 0 where not, or what stands between several in the one column.

use csv::{ReaderBuilder, StringRecord, Trim};
use encoding_rs::{Encoding, WINDOWS_1252};
use std::borrow::Cow;
use std::path::Path;

use super::limits::MAX_FILES;
use super::several::SeveralLabels;
use crate::classes::{Label, LabelSet, MAX_LABELS};
use crate::data::image_names::is_image_name;
use crate::data::part::GivenPart;
use crate::error::{shortened, some_of};
use crate::{Error, Result};

/// The names of the columns, where they are not to be found by their usual ones. The empty name
/// means none, even if there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The paths.
    pub path: Option<String>,
    /// The labels; of which an image may have several, where this is several names with a comma between, and
    /// no column has the whole as its name.
    pub label: Option<String>,
    /// What stands between several labels of an image in the column of labels, where it may have several.
    pub separator: Option<String>,
    /// The groups.
    pub group: Option<String>,
    /// The parts of a split.
    pub split: Option<String>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Path,
    Label,
    Group,
    Split,
}

impl Column {
    /// Returns the names by which such a column is found, the first of them that is there; without spaces,
    /// hyphens, underscores and capitals.
    fn usual(self) -> &'static [&'static str] {
        match self {
            Column::Path => &[
                "path",
                "filepath",
                "imagepath",
                "imgpath",
                "filename",
                "file",
                "imagefile",
                "imagefilename",
                "imagename",
                "imgname",
                "image",
                "img",
                "imageid",
                "imgid",
                "imageindex",
                "fname",
                "name",
                "id",
            ],
            Column::Label => &[
                "label",
                "labels",
                "class",
                "classname",
                "classlabel",
                "classid",
                "labelname",
                "target",
                "category",
                "categoryname",
                "diagnosis",
                "dx",
                "y",
            ],
            Column::Group => &[
                "group",
                "groupid",
                "patient",
                "patientid",
                "patientname",
                "subject",
                "subjectid",
                "participant",
                "participantid",
                "caseid",
                "lesionid",
            ],
            Column::Split => &["split", "subset", "partition", "set", "part", "phase"],
        }
    }

    /// Returns its setting, and what it holds in words.
    fn words(self) -> [&'static str; 2] {
        match self {
            Column::Path => ["path_column", "the images' paths"],
            Column::Label => ["label_column", "the labels"],
            Column::Group => ["group_column", "the groups"],
            Column::Split => ["split_column", "the parts of a split"],
        }
    }

    /// Returns the name that was given for it.
    fn given(self, columns: &Columns) -> Option<&str> {
        match self {
            Column::Path => columns.path.as_deref(),
            Column::Label => columns.label.as_deref(),
            Column::Group => columns.group.as_deref(),
            Column::Split => columns.split.as_deref(),
        }
    }
}

/// A table of labels that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its rows.
    pub rows: Vec<Row>,
    /// The labels, where an image may have several; each row has the name of a combination then.
    pub several: Option<SeveralLabels>,
}

/// A row of a table of labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The path as it stands there.
    pub path: String,
    /// The label; empty where there is none.
    pub label: String,
    /// The group, where the table tells.
    pub group: Option<String>,
    /// The part, where it tells.
    pub part: Option<GivenPart>,
}

/// Returns whether a file of this name is taken for a table.
pub fn is_table_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".csv", ".tsv"].iter().any(|suffix| name.ends_with(suffix))
}

/// Returns whether a table tells paths and labels.
pub fn tells_labels(path: &Path, bytes: &[u8], columns: &Columns) -> bool {
    let text = decoded(bytes);
    let Ok(heading) = reader(&text).headers().cloned() else { return false };
    matches!(place(path, &heading, Column::Path, columns), Ok(Some(_)))
        && LabelCells::find(path, &heading, columns).is_ok()
}

/// Reads a table of labels, which is at `path`.
///
/// # Errors
/// [`Error::Data`] if it is empty, has no heading, or a row that is not as the others; [`Error::Setting`] of
/// a column that is not there, or cannot be told; those of [`SeveralLabels`], where an image may have
/// several.
pub fn read(path: &Path, bytes: &[u8], columns: &Columns) -> Result<Table> {
    let text = decoded(bytes);
    let mut reader = reader(&text);
    let broken = |error: csv::Error| Error::data(path, format!("the table {}", fault(&error)));
    let heading = reader.headers().map_err(broken)?.clone();
    if heading.is_empty() {
        return Err(Error::data(
            path,
            "the table is empty; write a row for each image, under a heading such as path,label",
        ));
    }
    check_heading(path, &heading, columns)?;
    let paths = wanted(path, &heading, Column::Path, columns)?;
    let mut labels = LabelCells::find(path, &heading, columns)?;
    let groups = place(path, &heading, Column::Group, columns)?;
    let split = place(path, &heading, Column::Split, columns)?;
    let mut rows = Vec::new();
    let mut parts = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let cell = |column: usize| record.get(column).unwrap_or_default().to_string();
        if record.iter().all(str::is_empty) {
            continue;
        }
        if rows.len() == MAX_FILES {
            return Err(Error::data(path, format!("the table has more than {MAX_FILES} rows; give a part of it")));
        }
        let line = record.position().map_or(0, csv::Position::line);
        if cell(paths).is_empty() {
            return Err(Error::data(
                path,
                format!("line {line} of the table names no image; write its path, or take it out"),
            ));
        }
        let group = groups.map(cell).filter(|group| !group.is_empty());
        if let Some(split) = split {
            parts.push((line, cell(split)));
        }
        let label = labels.label(path, line, cell)?;
        rows.push(Row { path: cell(paths), label, group, part: None });
    }
    if rows.is_empty() {
        return Err(Error::data(path, "the table has a heading and no row; write a row for each image"));
    }
    let is_asked_for = columns.split.is_some();
    for (row, part) in rows.iter_mut().zip(known_parts(path, parts, is_asked_for)?) {
        row.part = Some(part);
    }
    let several = match labels.several(path)? {
        Some((several, combinations)) => {
            rows.iter_mut().zip(combinations).for_each(|(row, combination)| row.label = combination);
            Some(several)
        }
        None => None,
    };
    Ok(Table { rows, several })
}

/// What the cells of labels hold, as far as the rows are read.
enum LabelCells {
    /// A label.
    One(usize),
    /// Any number of labels, with the separator between them.
    Separated { column: usize, separator: String, told: Vec<Vec<String>> },
    /// In each of several columns, whether the image has its label.
    Each { columns: Vec<usize>, names: Vec<String>, sets: Vec<LabelSet> },
}

impl LabelCells {
    /// Finds the columns of labels.
    fn find(path: &Path, heading: &StringRecord, columns: &Columns) -> Result<LabelCells> {
        let given = columns.label.as_deref().unwrap_or_default();
        if given.contains(',') && heading.iter().all(|name| name != given) {
            if columns.separator.is_some() {
                let reason = "it is for labels in one column, and several are named; leave it out";
                return Err(Error::setting("label_separator", reason));
            }
            let names: Vec<String> = given.split(',').map(|name| name.trim().to_string()).collect();
            let column = |name: &String| {
                let columns = Columns { label: Some(name.clone()), ..Columns::default() };
                wanted(path, heading, Column::Label, &columns)
            };
            let columns = names.iter().map(column).collect::<Result<_>>()?;
            return Ok(LabelCells::Each { columns, names, sets: Vec::new() });
        }
        let column = wanted(path, heading, Column::Label, columns)?;
        match &columns.separator {
            None => Ok(LabelCells::One(column)),
            Some(separator) if separator.trim().is_empty() => {
                let reason = "it must be what stands between the labels of an image, such as ; or |";
                Err(Error::value("label_separator", separator, reason))
            }
            Some(separator) => Ok(LabelCells::Separated { column, separator: separator.clone(), told: Vec::new() }),
        }
    }

    /// Takes down what the cells of a row tell, and returns the label, where an image has one.
    fn label(&mut self, path: &Path, line: u64, cell: impl Fn(usize) -> String) -> Result<String> {
        match self {
            LabelCells::One(column) => return Ok(cell(*column)),
            LabelCells::Separated { column, separator, told } => {
                let cell = cell(*column);
                let names = cell.split(separator.as_str()).map(str::trim).filter(|name| !name.is_empty());
                told.push(names.map(str::to_string).collect());
            }
            LabelCells::Each { columns, names, sets } => {
                let mut set = LabelSet::NONE;
                for (place, (&column, name)) in columns.iter().zip(names.iter()).enumerate() {
                    let cell = cell(column);
                    match cell.to_ascii_lowercase().as_str() {
                        "1" | "1.0" | "true" if place < MAX_LABELS => set = set.with(Label::new(place)),
                        "1" | "1.0" | "true" | "0" | "0.0" | "false" => {}
                        _ => {
                            let reason = format!(
                                "line {line} of the table has '{}' under {}; write 1 where the image has this label, and 0 where not",
                                shortened(&cell),
                                shortened(name)
                            );
                            return Err(Error::data(path, reason));
                        }
                    }
                }
                sets.push(set);
            }
        }
        Ok(String::new())
    }

    /// Returns the labels, where an image may have several, and the combination of each row.
    fn several(self, path: &Path) -> Result<Option<(SeveralLabels, Vec<String>)>> {
        match self {
            LabelCells::One(_) => Ok(None),
            LabelCells::Separated { told, .. } => SeveralLabels::by_names(path, &told).map(Some),
            LabelCells::Each { names, sets, .. } => SeveralLabels::new(path, names, &sets).map(Some),
        }
    }
}

/// Returns the parts that these cells name, each with its line; nothing, where the column was found by its
/// name alone and no cell names a part, as in a table of sets of another kind.
fn known_parts(path: &Path, cells: Vec<(u64, String)>, is_asked_for: bool) -> Result<Vec<GivenPart>> {
    let known: Vec<Option<GivenPart>> = cells.iter().map(|(_, cell)| GivenPart::from_name(cell)).collect();
    if !is_asked_for && known.iter().all(Option::is_none) {
        return Ok(Vec::new());
    }
    let parts = cells.iter().zip(known).map(|((line, cell), part)| {
        part.ok_or_else(|| {
            let found =
                if cell.is_empty() { "no part of the split".into() } else { format!("the part '{}'", shortened(cell)) };
            Error::data(path, format!("line {line} of the table has {found}; write train, val or test there"))
        })
    });
    parts.collect()
}

/// Returns the table as text: in UTF-8 or UTF-16, as its first bytes tell, or else as Windows has it in
/// Western Europe.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    match Encoding::for_bom(bytes) {
        Some((encoding, length)) => encoding.decode_without_bom_handling(&bytes[length..]).0,
        None => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        },
    }
}

/// Returns a reader of the table's rows: by the delimiter that its first line has most.
fn reader(text: &str) -> csv::Reader<&[u8]> {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut is_quoted = false;
    let bare: String = first
        .chars()
        .filter(|&char| {
            is_quoted ^= char == '"';
            !is_quoted
        })
        .collect();
    // Of equals the last is the largest, so the usual one stands there.
    let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|&byte| bare.matches(char::from(byte)).count());
    ReaderBuilder::new().delimiter(delimiter.unwrap_or(b',')).trim(Trim::All).from_reader(text.as_bytes())
}

/// Refuses a table whose first row is one of data, as far as that shows.
fn check_heading(path: &Path, heading: &StringRecord, columns: &Columns) -> Result<()> {
    let Some(name) = heading.iter().find(|cell| is_image_name(cell) && cell.contains('.')) else { return Ok(()) };
    if [&columns.path, &columns.label].into_iter().any(|given| given.as_deref() == Some(name)) {
        return Ok(());
    }
    let reason = format!(
        "the first row of the table names an image, {}, and no columns; put a heading above it, such as path,label",
        shortened(name)
    );
    Err(Error::data(path, reason))
}

/// Returns the place of a column: of the name that was given, or else of the first of its usual ones.
pub fn place(path: &Path, heading: &StringRecord, column: Column, columns: &Columns) -> Result<Option<usize>> {
    let plain = |name: &str| name.to_lowercase().replace([' ', '_', '-'], "");
    let Some(given) = column.given(columns) else {
        let names: Vec<String> = heading.iter().map(plain).collect();
        return Ok(column.usual().iter().find_map(|usual| names.iter().position(|name| name == usual)));
    };
    if given.is_empty() {
        return Ok(None);
    }
    match heading.iter().position(|name| name == given) {
        Some(place) => Ok(Some(place)),
        None => {
            let names = some_of(heading.iter().map(|name| shortened(name)));
            let reason = format!("{} has no such column; it has {names}", path.display());
            Err(Error::value(column.words()[0], shortened(given), reason))
        }
    }
}

/// Returns the place of a column that must be there.
fn wanted(path: &Path, heading: &StringRecord, column: Column, columns: &Columns) -> Result<usize> {
    place(path, heading, column, columns)?.ok_or_else(|| not_found(path, heading, column))
}

/// Returns the error for a column that is wanted, and has none of its usual names.
pub fn not_found(path: &Path, heading: &StringRecord, column: Column) -> Error {
    let [setting, what] = column.words();
    let usual = column.usual();
    let names = some_of(heading.iter().map(|name| shortened(name)));
    let reason = format!(
        "which column of {} holds {what} cannot be told, as none is named {}, {} or the like; give one of its columns, {names}",
        path.display(),
        usual[0],
        usual[2]
    );
    Error::setting(setting, reason)
}

/// Words what is wrong with a row.
fn fault(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            format!(
                "has {expected_len} columns, and line {line} has {len}; put a cell that holds a delimiter into quotes"
            )
        }
        _ => "cannot be read; write it again, in UTF-8".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(bytes: &[u8]) -> Vec<Row> {
        read(Path::new("t.csv"), bytes, &Columns::default()).unwrap().rows
    }

    fn row(path: &str, label: &str) -> Row {
        Row { path: path.into(), label: label.into(), group: None, part: None }
    }

    #[test]
    fn delimiters_quotes_marks_and_encodings_are_told_from_the_table_itself() {
        let two = [row("a, b.png", "cat"), row("ü.png", "dog")];
        assert_eq!(read_text("path,label\n\"a, b.png\",cat\nü.png,dog\n".as_bytes()), two);
        assert_eq!(read_text("\u{FEFF}Label;File Name\r\ncat;a, b.png\r\n\r\ndog; ü.png\r\n".as_bytes()), two);
        assert_eq!(read_text("image\ttarget\na, b.png\tcat\nü.png\tdog".as_bytes()), two);
        assert_eq!(read_text(b"path;label\na, b.png;cat\n\xFC.png;dog\n"), two);
        let wide: Vec<u8> =
            "\u{FEFF}path;label\na, b.png;cat\nü.png;dog\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read_text(&wide), two);
    }

    #[test]
    fn groups_and_parts_are_read_where_there_are_such_columns() {
        let rows = read_text(b"image_id,diagnosis,patient_id,split\n1,b,p1,train\n2,m,,Test set\n");
        assert_eq!((rows[0].group.as_deref(), rows[0].part), (Some("p1"), Some(GivenPart::Training)));
        assert_eq!((rows[1].group.as_deref(), rows[1].part), (None, Some(GivenPart::Test)));
        // A set of another kind is none of a split.
        assert_eq!(read_text(b"path,label,set\n1,b,A\n2,m,B\n")[0].part, None);
        let none = Columns { group: Some(String::new()), ..Columns::default() };
        assert_eq!(read(Path::new("t.csv"), b"path,label,group\n1,b,x\n", &none).unwrap().rows[0].group, None);
    }

    /// Reads a table by these columns: the combination of each row, and the labels.
    fn read_several(text: &str, label: Option<&str>, separator: Option<&str>) -> Result<(String, String)> {
        let columns =
            Columns { label: label.map(Into::into), separator: separator.map(Into::into), ..Columns::default() };
        let Table { rows, several } = read(Path::new("t.csv"), text.as_bytes(), &columns)?;
        let labels = several.map_or(String::new(), |several| several.labels().names().collect::<Vec<&str>>().join(" "));
        Ok((rows.into_iter().map(|row| row.label).collect::<Vec<String>>().join(" "), labels))
    }

    #[test]
    fn an_image_has_several_labels_by_a_column_for_each_or_by_what_stands_between_them() {
        let each = "path,cat,dog,hare,a,b\n1.png,1,0,1.0,x,x\n2.png,0,0.0,FALSE,x,x\n3.png,true,1,0,x,x\n";
        let read = |label| read_several(each, Some(label), None);
        let of_three = ("cat;hare (none) cat;dog".to_string(), "cat dog hare".to_string());
        assert_eq!(read("cat,dog,hare").unwrap(), of_three);
        assert_eq!(read("dog, cat").unwrap(), ("cat (none) dog;cat".into(), "dog cat".into()));
        // A column of that name is one of classes.
        let one = read_several("path,\"a,b\"\n1.png,x\n", Some("a,b"), None).unwrap();
        assert_eq!(one, ("x".into(), String::new()));

        let separated = "path,label\n1.png,dog| cat\n2.png,\n3.png,cat|\n";
        let found = read_several(separated, None, Some("|")).unwrap();
        assert_eq!(found, ("cat;dog (none) cat".into(), "cat dog".into()));
        assert_eq!(read_several(separated, None, None).unwrap().1, "", "nobody has said that there are several");
    }

    #[test]
    fn several_labels_that_cannot_be_told_are_refused() {
        let each = "path,cat,dog\n1.png,1,0\n2.png,,1\n";
        let error = |text: &str, label, separator| read_several(text, label, separator).unwrap_err().to_string();
        let expected =
            "t.csv: line 3 of the table has '' under cat; write 1 where the image has this label, and 0 where not";
        assert_eq!(error(each, Some("cat,dog"), None), expected);
        let expected = "label_column hare: t.csv has no such column; it has 3 (path, cat, dog)";
        assert_eq!(error(each, Some("cat,hare"), None), expected);
        let expected = "label_separator: it is for labels in one column, and several are named; leave it out";
        assert_eq!(error(each, Some("cat,dog"), Some(";")), expected);
        let expected = "label_separator  : it must be what stands between the labels of an image, such as ; or |";
        assert_eq!(error("path,label\n1.png,a\n", None, Some(" ")), expected);
        assert!(error("path,label\n1.png,a\n2.png,a\n", None, Some(";")).contains("it has 1 label;"));
        assert!(error("path,cat,cat\n1.png,1,1\n", Some("cat,cat"), None).contains("two are called 'cat'"));
    }

    #[test]
    fn what_is_no_table_of_labels_is_told() {
        for (text, expected) in [
            ("", "t.csv: the table is empty; write a row for each image, under a heading such as path,label"),
            ("path,label\n", "t.csv: the table has a heading and no row; write a row for each image"),
            (
                "a/1.png,cat\na/2.png,dog\n",
                "t.csv: the first row of the table names an image, a/1.png, and no columns; put a heading above it, such as path,label",
            ),
            (
                "path,label\n1.png,cat,x\n",
                "t.csv: the table has 2 columns, and line 2 has 3; put a cell that holds a delimiter into quotes",
            ),
            ("path,label\n,cat\n", "t.csv: line 2 of the table names no image; write its path, or take it out"),
            (
                "path,label,split\n1.png,cat,train\n2.png,dog,fold3\n",
                "t.csv: line 3 of the table has the part 'fold3'; write train, val or test there",
            ),
            (
                "path,label,split\n1.png,cat,train\n2.png,dog,\n",
                "t.csv: line 3 of the table has no part of the split; write train, val or test there",
            ),
            (
                "path,kind\n1.png,cat\n",
                "label_column: which column of t.csv holds the labels cannot be told, as none is named label, class or the like; give one of its columns, 2 (path, kind)",
            ),
        ] {
            let error = read(Path::new("t.csv"), text.as_bytes(), &Columns::default()).unwrap_err().to_string();
            assert_eq!(error, expected);
        }
        let columns = Columns { label: Some("colour".into()), ..Columns::default() };
        let error = read(Path::new("t.csv"), b"path,label\n1.png,cat\n", &columns).unwrap_err().to_string();
        assert_eq!(error, "label_column colour: t.csv has no such column; it has 2 (path, label)");
    }
}

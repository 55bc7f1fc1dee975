//! Pickles, read without running anything: what a program for Python's pickle machine builds, written down.
//!
//! The machine has a stack, a memo, and about sixty instructions (Python's `pickletools` lists them). A file
//! that Python runs could call any function; here a call is a [`Value::Call`], which holds what was to be
//! called. Values stand in one list and refer to each other by number, so nothing is ever copied, and a
//! pickle makes at most one value for each of its bytes.

use std::collections::HashMap;

/// The longest pickle that is read, in bytes: that of a thousand tensors has a tenth of one.
pub const MAX_PICKLE_BYTES: usize = 8 << 20;

/// The number of a value.
pub type Id = usize;

/// A value of Python, as far as it matters here.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// None, and numbers and bytes that nothing here looks at.
    Other,
    /// A whole number.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// A text.
    Text(Box<str>),
    /// A tuple, a list or a set.
    List(Vec<Id>),
    /// A dictionary, in the order in which its keys were set.
    Dict(Vec<(Id, Id)>),
    /// A function or a class: its module and its name.
    Global(Box<(String, String)>),
    /// What a function or a class makes of its arguments; and what was then set in it.
    Call(Box<Call>),
    /// What stands outside of the pickle, by this name: a tensor's bytes.
    Persistent(Id),
}

/// A call that was not made.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function.
    pub function: Id,
    /// Its arguments.
    pub arguments: Id,
    /// The items that were then set in what it returned.
    pub items: Vec<(Id, Id)>,
    /// The state that it was then given.
    pub state: Option<Id>,
}

/// What a pickle builds.
pub struct Pickle {
    values: Vec<Value>,
    /// The value that it leaves.
    pub root: Id,
    /// The bytes that it takes.
    pub len: usize,
}

impl Pickle {
    /// Reads a pickle at the begin of some bytes.
    ///
    /// # Errors
    /// A sentence, where it is none, or has an instruction that no state dict needs.
    pub fn read(bytes: &[u8]) -> Result<Pickle, String> {
        let mut machine = Machine { bytes, ..Machine::default() };
        while machine.step()? {}
        let root = machine.pop()?;
        Ok(Pickle { values: machine.values, root, len: machine.at })
    }

    /// Returns a value.
    pub fn value(&self, id: Id) -> &Value {
        &self.values[id]
    }

    /// Returns a text.
    pub fn text(&self, id: Id) -> Option<&str> {
        match self.value(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a whole number that is not negative.
    pub fn size(&self, id: Id) -> Option<usize> {
        match self.value(id) {
            Value::Int(value) => usize::try_from(*value).ok(),
            _ => None,
        }
    }

    /// Returns the items of a tuple or a list.
    pub fn list(&self, id: Id) -> Option<&[Id]> {
        match self.value(id) {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the items of a dictionary, ordered or not.
    pub fn dict(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.value(id) {
            Value::Dict(items) => Some(items),
            Value::Call(call) if self.is_global(call.function, "collections", "OrderedDict") => Some(&call.items),
            _ => None,
        }
    }

    /// Returns the value of a key of a dictionary.
    pub fn get(&self, dict: Id, key: &str) -> Option<Id> {
        self.dict(dict)?.iter().rev().find(|(name, _)| self.text(*name) == Some(key)).map(|(_, value)| *value)
    }

    /// Returns a call.
    pub fn call(&self, id: Id) -> Option<&Call> {
        match self.value(id) {
            Value::Call(call) => Some(call),
            _ => None,
        }
    }

    /// Returns a function or class: its module and its name.
    pub fn global(&self, id: Id) -> Option<(&str, &str)> {
        match self.value(id) {
            Value::Global(path) => Some((&path.0, &path.1)),
            _ => None,
        }
    }

    /// Returns the names of all that stands outside of the pickle.
    pub fn persistent(&self) -> impl Iterator<Item = Id> {
        self.values.iter().filter_map(|value| if let Value::Persistent(id) = value { Some(*id) } else { None })
    }

    fn is_global(&self, id: Id, module: &str, name: &str) -> bool {
        self.global(id) == Some((module, name))
    }
}

/// The machine.
#[derive(Default)]
struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    values: Vec<Value>,
    stack: Vec<Id>,
    /// For each mark, how high the stack was.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'a> Machine<'a> {
    /// Takes an instruction; false at the last.
    fn step(&mut self) -> Result<bool, String> {
        match self.byte()? {
            b'.' => return Ok(false),
            // The protocol, and the length of what follows.
            0x80 => drop(self.byte()?),
            0x95 => drop(self.take(8)?),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'N' => self.push(Value::Other),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'J' => {
                let value = i32::from_le_bytes(self.array()?);
                self.push(Value::Int(value.into()));
            }
            b'K' => {
                let value = self.byte()?;
                self.push(Value::Int(value.into()));
            }
            b'M' => {
                let value = u16::from_le_bytes(self.array()?);
                self.push(Value::Int(value.into()));
            }
            0x8A => {
                let count = self.byte()?;
                let value = long(self.take(count.into())?);
                self.push(value);
            }
            b'G' => {
                self.take(8)?;
                self.push(Value::Other);
            }
            b'I' | b'L' => {
                let line = self.line()?;
                self.push(match line {
                    "00" => Value::Bool(false),
                    "01" => Value::Bool(true),
                    number => number.trim_end_matches('L').parse().map_or(Value::Other, Value::Int),
                });
            }
            b'F' => {
                self.line()?;
                self.push(Value::Other);
            }
            b'X' | b'T' => {
                let count = u32::from_le_bytes(self.array()?);
                self.push_text(count as usize)?;
            }
            0x8C | b'U' => {
                let count = self.byte()?;
                self.push_text(count.into())?;
            }
            0x8D => {
                let count = u64::from_le_bytes(self.array()?);
                self.push_text(usize::try_from(count).map_err(|_| ends_early())?)?;
            }
            b'V' => {
                let line = self.line()?.into();
                self.push(Value::Text(line));
            }
            b'S' => {
                let line = self.line()?.trim_matches(['\'', '"']).into();
                self.push(Value::Text(line));
            }
            b'B' => {
                let count = u32::from_le_bytes(self.array()?);
                self.push_bytes(count.into())?;
            }
            b'C' => {
                let count = self.byte()?;
                self.push_bytes(count.into())?;
            }
            0x8E | 0x96 => {
                let count = u64::from_le_bytes(self.array()?);
                self.push_bytes(count)?;
            }
            b']' | b')' | 0x8F => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            b't' | b'l' | 0x91 => {
                let items = self.pop_mark()?;
                self.push(Value::List(items));
            }
            count @ 0x85..=0x87 => {
                let start = self.floor(usize::from(count - 0x84))?;
                let items = self.stack.split_off(start);
                self.push(Value::List(items));
            }
            b'd' => {
                let items = pairs(self.pop_mark()?)?;
                self.push(Value::Dict(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' | 0x90 => {
                let items = self.pop_mark()?;
                self.append(items)?;
            }
            b's' => {
                let start = self.floor(2)?;
                let items = pairs(self.stack.split_off(start))?;
                self.set(items)?;
            }
            b'u' => {
                let items = pairs(self.pop_mark()?)?;
                self.set(items)?;
            }
            b'c' => {
                let (module, name) = (self.line()?.to_string(), self.line()?.to_string());
                self.push(Value::Global(Box::new((module, name))));
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let text = |id: Id| match &self.values[id] {
                    Value::Text(text) => Ok(text.to_string()),
                    _ => Err(nonsense()),
                };
                let path = Box::new((text(module)?, text(name)?));
                self.push(Value::Global(path));
            }
            b'R' | 0x81 => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                self.push(Value::Call(Box::new(Call { function, arguments, items: Vec::new(), state: None })));
            }
            0x92 => {
                let _named = self.pop()?;
                let (arguments, function) = (self.pop()?, self.pop()?);
                self.push(Value::Call(Box::new(Call { function, arguments, items: Vec::new(), state: None })));
            }
            b'b' => {
                let state = self.pop()?;
                let top = self.top()?;
                if let Value::Call(call) = &mut self.values[top] {
                    call.state = Some(state);
                }
            }
            b'Q' => {
                let name = self.pop()?;
                self.push(Value::Persistent(name));
            }
            b'P' => {
                let line = self.line()?.into();
                self.push(Value::Text(line));
                let name = self.pop()?;
                self.push(Value::Persistent(name));
            }
            b'q' => {
                let place = self.byte()?;
                self.remember(place.into())?;
            }
            b'r' => {
                let place = u32::from_le_bytes(self.array()?);
                self.remember(place)?;
            }
            b'p' => {
                let place = self.line()?.parse().map_err(|_| nonsense())?;
                self.remember(place)?;
            }
            0x94 => self.remember(self.memo.len() as u32)?,
            b'h' => {
                let place = self.byte()?;
                self.recall(place.into())?;
            }
            b'j' => {
                let place = u32::from_le_bytes(self.array()?);
                self.recall(place)?;
            }
            b'g' => {
                let place = self.line()?.parse().map_err(|_| nonsense())?;
                self.recall(place)?;
            }
            other => {
                return Err(format!(
                    "its pickle has an instruction that no state dict needs, {other:#04x}; save model.state_dict() by torch.save"
                ));
            }
        }
        Ok(true)
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    fn push_text(&mut self, count: usize) -> Result<(), String> {
        let text = std::str::from_utf8(self.take(count)?).map_err(|_| nonsense())?.into();
        self.push(Value::Text(text));
        Ok(())
    }

    fn push_bytes(&mut self, count: u64) -> Result<(), String> {
        self.take(usize::try_from(count).map_err(|_| ends_early())?)?;
        self.push(Value::Other);
        Ok(())
    }

    /// The height above which the stack has `count` values, none of them below the last mark.
    fn floor(&self, count: usize) -> Result<usize, String> {
        let lowest = self.marks.last().copied().unwrap_or(0);
        self.stack.len().checked_sub(count).filter(|start| *start >= lowest).ok_or_else(nonsense)
    }

    fn pop(&mut self) -> Result<Id, String> {
        self.floor(1)?;
        self.stack.pop().ok_or_else(nonsense)
    }

    fn top(&self) -> Result<Id, String> {
        Ok(self.stack[self.floor(1)?])
    }

    /// Takes all values above the last mark, and the mark.
    fn pop_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or_else(nonsense)?;
        Ok(self.stack.split_off(mark))
    }

    fn append(&mut self, items: Vec<Id>) -> Result<(), String> {
        let top = self.top()?;
        match &mut self.values[top] {
            Value::List(list) => list.extend(items),
            Value::Call(_) => {}
            _ => return Err(nonsense()),
        }
        Ok(())
    }

    fn set(&mut self, items: Vec<(Id, Id)>) -> Result<(), String> {
        let top = self.top()?;
        match &mut self.values[top] {
            Value::Dict(dict) => dict.extend(items),
            Value::Call(call) => call.items.extend(items),
            _ => return Err(nonsense()),
        }
        Ok(())
    }

    fn remember(&mut self, place: u32) -> Result<(), String> {
        let top = self.top()?;
        self.memo.insert(place, top);
        Ok(())
    }

    fn recall(&mut self, place: u32) -> Result<(), String> {
        let id = *self.memo.get(&place).ok_or_else(nonsense)?;
        self.stack.push(id);
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.array::<1>()?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let bytes = self.take(N)?;
        Ok(std::array::from_fn(|index| bytes[index]))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len()).ok_or_else(ends_early)?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let rest = &self.bytes[self.at..];
        let len = rest.iter().position(|&byte| byte == b'\n').ok_or_else(ends_early)?;
        self.at += len + 1;
        std::str::from_utf8(rest[..len].trim_ascii_end()).map_err(|_| nonsense())
    }
}

/// Returns the value of a long number: little-endian, with a sign; of one that is too long nothing.
fn long(bytes: &[u8]) -> Value {
    if bytes.len() > 8 {
        return Value::Other;
    }
    let fill = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xFF } else { 0 };
    Value::Int(i64::from_le_bytes(std::array::from_fn(|index| bytes.get(index).copied().unwrap_or(fill))))
}

fn pairs(items: Vec<Id>) -> Result<Vec<(Id, Id)>, String> {
    match items.as_chunks::<2>() {
        (pairs, []) => Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect()),
        _ => Err(nonsense()),
    }
}

fn ends_early() -> String {
    "its pickle ends before it is done; save it anew, or download it again".to_string()
}

fn nonsense() -> String {
    "its pickle makes no sense; save it anew, or download it again".to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_written_down_and_not_made() {
        // os.system("rm -rf /"), as a file would have it that means harm.
        let pickle = Pickle::read(b"cos\nsystem\n(S'rm -rf /'\ntR.").unwrap();
        let call = pickle.call(pickle.root).unwrap();
        assert_eq!(pickle.global(call.function), Some(("os", "system")));
        assert_eq!(pickle.text(pickle.list(call.arguments).unwrap()[0]), Some("rm -rf /"));
    }

    #[test]
    fn dictionaries_keep_their_order_and_the_last_of_two_equal_keys_counts() {
        // {"b": 1, "a": True, "b": -2}
        let pickle =
            Pickle::read(b"\x80\x02}q\0(X\x01\0\0\0bK\x01X\x01\0\0\0a\x88X\x01\0\0\0bJ\xfe\xff\xff\xffu.").unwrap();
        let keys = pickle.dict(pickle.root).unwrap().iter().map(|(key, _)| pickle.text(*key).unwrap());
        assert_eq!(keys.collect::<Vec<_>>(), ["b", "a", "b"]);
        assert_eq!(pickle.get(pickle.root, "b").map(|id| pickle.value(id)), Some(&Value::Int(-2)));
        assert_eq!(pickle.get(pickle.root, "a").map(|id| pickle.value(id)), Some(&Value::Bool(true)));
        assert_eq!(pickle.len, 34);
    }

    #[test]
    fn long_numbers_have_their_sign() {
        let number =
            |bytes: &[u8]| Pickle::read(&[b"\x8a", bytes, b"."].concat()).map(|p| p.value(p.root).clone()).unwrap();
        assert_eq!(number(b"\x00"), Value::Int(0));
        assert_eq!(number(b"\x01\xff"), Value::Int(-1));
        assert_eq!(number(b"\x02\xff\x00"), Value::Int(255));
        assert_eq!(number(b"\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"), Value::Other);
    }

    #[test]
    fn pickles_that_reach_below_their_stack_or_end_early_are_refused() {
        for bytes in [
            &b"."[..],
            b"",
            b"0.",
            b"(K\x01(R.",
            b"K\x01(a.",
            b"h\x07.",
            b"X\xff\xff\xff\xffa.",
            b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.",
            b"K\x01",
            b"(1t.",
            b"}(K\x01u.",
        ] {
            assert!(Pickle::read(bytes).is_err(), "{bytes:?}");
        }
        let error = Pickle::read(b"K\x01K\x01\x82\x01.").err().unwrap();
        assert!(error.contains("an instruction that no state dict needs, 0x82"), "{error}");
    }

    #[test]
    fn what_repeats_itself_by_the_memo_takes_no_more_memory() {
        // A list of two of a list of two …, sixty deep: 2⁶⁰ items, if one counted them.
        let mut bytes = b"]q\x00".to_vec();
        for depth in 1..60u8 {
            bytes.extend([b']', b'(', b'h', depth - 1, b'h', depth - 1, b'e', b'q', depth]);
        }
        bytes.push(b'.');
        assert_eq!(Pickle::read(&bytes).unwrap().values.len(), 60);
    }
}

//! The tensors of a state dict, out of what a pickle builds.

use super::pickle::{Id, Pickle, Value};
use super::tensor::{Named, Values};
use crate::error::{shortened, some_of};

/// The keys under which checkpoints have their state dict, the likeliest first.
const USUAL_KEYS: [&str; 8] =
    ["state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "model_state"];

/// How deep modules may stand within modules.
const MAX_DEPTH: usize = 100;

/// The most tensors of a file: more than a network here can have.
const MAX_TENSORS: usize = 100_000;

/// The functions that rebuild a tensor, all of the module `torch._utils`, whose first arguments are its
/// storage, where it begins in it, its sizes and its strides.
const REBUILD_TENSOR: [&str; 3] = ["_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"];

/// The functions that wrap one, which is their first argument.
const REBUILD_PARAMETER: [&str; 2] = ["_rebuild_parameter", "_rebuild_parameter_with_state"];

/// Where a storage's bytes are.
pub trait Storages<'a> {
    /// Returns the bytes of a storage by its key.
    ///
    /// # Errors
    /// A sentence, where it is not there, or packed.
    fn bytes(&self, key: &str) -> Result<&'a [u8], String>;
}

/// Returns the tensors of a state dict in its order: of a pickle that is one, has one under a usual key, or
/// is a whole module.
///
/// # Errors
/// A sentence that says what the file holds instead.
pub fn tensors<'a>(pickle: &Pickle, storages: &dyn Storages<'a>) -> Result<Vec<Named<'a>>, String> {
    let mut reader = Reader { pickle, storages, tensors: Vec::new() };
    reader.root(pickle.root, 0)?;
    match reader.tensors.is_empty() {
        true => Err("it holds no tensors; save model.state_dict() by torch.save".to_string()),
        false => Ok(reader.tensors),
    }
}

/// Returns the name of the type of a storage's values, and its key, of what stands for a storage in a pickle.
pub fn storage_of(pickle: &Pickle, name: Id) -> Option<(&str, &str)> {
    match pickle.list(name)? {
        [word, class, key, ..] if pickle.text(*word) == Some("storage") => {
            Some((pickle.global(*class)?.1, pickle.text(*key)?))
        }
        _ => None,
    }
}

struct Reader<'p, 'a> {
    pickle: &'p Pickle,
    storages: &'p dyn Storages<'a>,
    tensors: Vec<Named<'a>>,
}

impl<'a> Reader<'_, 'a> {
    /// Reads the state dict that a value is, or has under a key.
    fn root(&mut self, id: Id, depth: usize) -> Result<(), String> {
        if self.module_state(id).is_some() {
            return self.module(id, "", depth);
        }
        let items = self.pickle.dict(id).ok_or("it holds no state dict; save model.state_dict() by torch.save")?;
        if items.iter().any(|(_, value)| self.tensor(*value).is_some()) {
            return self.dict(items.to_vec(), "");
        }
        let found = USUAL_KEYS.iter().find_map(|key| self.pickle.get(id, key)).filter(|_| depth < USUAL_KEYS.len());
        match found {
            Some(inner) => self.root(inner, depth + 1),
            None => {
                let keys = items.iter().filter_map(|(key, _)| self.pickle.text(*key)).map(shortened);
                Err(format!(
                    "no state dict is found in it, whose keys are {}; save model.state_dict() by torch.save",
                    some_of(keys)
                ))
            }
        }
    }

    /// Takes the tensors of a dictionary; other values are passed over.
    fn dict(&mut self, items: Vec<(Id, Id)>, prefix: &str) -> Result<(), String> {
        for (key, value) in items {
            let Some(arguments) = self.tensor(value) else { continue };
            let name = self.pickle.text(key).ok_or("a tensor of its state dict has no name; save it anew")?;
            let name = format!("{prefix}{name}");
            if self.tensors.len() >= MAX_TENSORS {
                return Err(format!("it holds more than {MAX_TENSORS} tensors; give the weights of one model"));
            }
            let tensor = self.named(&name, &arguments);
            self.tensors.push(tensor.ok_or_else(|| {
                format!("its tensor '{}' cannot be rebuilt; save model.state_dict() anew", shortened(&name))
            })??);
        }
        Ok(())
    }

    /// Takes the tensors of a module and of those within it, as its `state_dict()` would have them.
    fn module(&mut self, id: Id, prefix: &str, depth: usize) -> Result<(), String> {
        let Some(state) = self.module_state(id) else { return Ok(()) };
        if depth > MAX_DEPTH {
            return Err("its modules stand too deep within each other; save model.state_dict() by torch.save".into());
        }
        for own in ["_parameters", "_buffers"] {
            let items = self.pickle.get(state, own).and_then(|id| self.pickle.dict(id));
            self.dict(items.unwrap_or_default().to_vec(), prefix)?;
        }
        let modules = self.pickle.get(state, "_modules").and_then(|id| self.pickle.dict(id));
        for (name, module) in modules.unwrap_or_default().to_vec() {
            let name = self.pickle.text(name).ok_or("a module of it has no name; save it anew")?;
            self.module(module, &format!("{prefix}{name}."), depth + 1)?;
        }
        Ok(())
    }

    /// Returns the state of a module, if a value is one.
    fn module_state(&self, id: Id) -> Option<Id> {
        let state = self.pickle.call(id)?.state?;
        self.pickle.get(state, "_parameters").and(Some(state))
    }

    /// Returns the arguments that rebuild a tensor, if a value is one.
    fn tensor(&self, id: Id) -> Option<Vec<Id>> {
        let mut id = id;
        // A parameter is a tensor with a word more.
        for _ in 0..3 {
            let call = self.pickle.call(id)?;
            let (module, name) = self.pickle.global(call.function)?;
            let arguments = self.pickle.list(call.arguments)?;
            match module {
                "torch._utils" if REBUILD_TENSOR.contains(&name) => return Some(arguments.to_vec()),
                "torch._utils" if REBUILD_PARAMETER.contains(&name) => id = *arguments.first()?,
                _ => return None,
            }
        }
        None
    }

    /// Returns a tensor of the arguments that rebuild it; none where they make no sense.
    fn named(&self, name: &str, arguments: &[Id]) -> Option<Result<Named<'a>, String>> {
        let [storage, offset, sizes, strides, ..] = arguments else { return None };
        let Value::Persistent(storage) = self.pickle.value(*storage) else { return None };
        let (class, key) = storage_of(self.pickle, *storage)?;
        let numbers = |id: Id| self.pickle.list(id)?.iter().map(|id| self.pickle.size(*id)).collect::<Option<Vec<_>>>();
        let (shape, strides, offset) = (numbers(*sizes)?, numbers(*strides)?, self.pickle.size(*offset)?);
        let values = match class {
            "FloatStorage" => match self.storages.bytes(key) {
                Ok(storage) => Values::View { storage, offset, strides },
                Err(reason) => return Some(Err(reason)),
            },
            other => Values::Other(other.trim_end_matches("Storage").to_lowercase()),
        };
        Some(Ok(Named { name: name.to_string(), shape, values }))
    }
}

//! The layers of a Keras model in the order in which an image goes through them: those of a `Sequential`, or
//! of a `Functional` model whose every layer has one layer before and one behind. Models within models are
//! opened.

use crate::error::{counted, shortened};
use crate::spec::MAX_LAYERS;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// A layer as its model's JSON tells of it.
pub struct KerasLayer<'a> {
    /// Its class: `Conv2D`.
    pub class: &'a str,
    /// Its own name, which its user may have chosen.
    pub name: &'a str,
    /// Its settings.
    pub config: &'a Map<String, Value>,
    /// The whole of what the model's JSON tells of it.
    pub whole: &'a Map<String, Value>,
    /// Its place in a file of tensors by class and order: `layers/conv2d_1`.
    pub place: String,
    /// The name of the layer of the outermost model that it is, or is within: in the old format its tensors
    /// stand there.
    pub top: &'a str,
}

impl KerasLayer<'_> {
    /// Returns a sentence of what is amiss with it.
    pub fn fault(&self, what: &str) -> String {
        format!("its layer '{}', of the class {}, {what}", shortened(self.name), shortened(self.class))
    }
}

/// Returns the layers of a model.
///
/// # Errors
/// A sentence, where they are no chain, or the JSON is no model's.
pub fn chain(model: &Value) -> Result<Vec<KerasLayer<'_>>, String> {
    let mut layers = Vec::new();
    let model = model.as_object().ok_or("its model is no JSON object; save it by Keras itself")?;
    open(model, "", None, &mut layers)?;
    Ok(layers)
}

/// Appends the layers of a model, which stands at `place` in a file of tensors and within the layer `top`.
fn open<'a>(
    model: &'a Map<String, Value>,
    place: &str,
    top: Option<&'a str>,
    all: &mut Vec<KerasLayer<'a>>,
) -> Result<(), String> {
    let class = text(model, "class_name").unwrap_or_default();
    let is_graph = match class {
        "Sequential" => false,
        "Functional" | "Model" => true,
        other => {
            return Err(format!(
                "its model is of the class '{}', and only Sequential and Functional ones tell their layers; rebuild it as one of these, and \
                 load its weights there",
                shortened(other)
            ));
        }
    };
    // The oldest files have the list of a Sequential's layers as its settings.
    let config = model.get("config");
    let listed = match config {
        Some(Value::Array(layers)) => Some(layers),
        Some(Value::Object(config)) => config.get("layers").and_then(Value::as_array),
        _ => None,
    };
    let listed = listed.ok_or("its model lists no layers; save it by Keras itself")?;
    let mut made: HashMap<String, usize> = HashMap::new();
    let mut layers = Vec::new();
    for layer in listed {
        let whole = layer.as_object().ok_or("a layer of its model is no JSON object; save it by Keras itself")?;
        let class = text(whole, "class_name").ok_or("a layer of its model has no class; save it by Keras itself")?;
        let config = whole.get("config").and_then(Value::as_object);
        let config = config.ok_or_else(|| {
            format!("a layer of its model, a {}, has no settings; save it by Keras itself", shortened(class))
        })?;
        let name = text(whole, "name").or(text(config, "name")).unwrap_or(class);
        let kind = snake_case(class);
        let count = made.entry(kind.clone()).or_default();
        let numbered = if *count == 0 { kind } else { format!("{kind}_{count}") };
        *count += 1;
        let inner = format!("{place}layers/{numbered}");
        layers.push(KerasLayer { class, name, config, whole, place: inner, top: top.unwrap_or(name) });
    }
    if is_graph {
        layers = in_order(layers)?;
    }
    for layer in layers {
        if all.len() >= MAX_LAYERS {
            return Err(format!("its model has more than {MAX_LAYERS} layers; use a smaller one"));
        }
        match layer.class {
            "Sequential" | "Functional" | "Model" => {
                open(layer.whole, &format!("{}/", layer.place), Some(layer.top), all)?;
            }
            // That of a model within is the layer before it.
            "InputLayer" if !place.is_empty() => {}
            _ => all.push(layer),
        }
    }
    Ok(())
}

/// Brings the layers of a graph into the order in which an image passes them.
///
/// # Errors
/// A sentence that names the first layer at which the graph is no chain.
fn in_order(layers: Vec<KerasLayer<'_>>) -> Result<Vec<KerasLayer<'_>>, String> {
    let numbers: HashMap<&str, usize> = layers.iter().enumerate().map(|(index, layer)| (layer.name, index)).collect();
    if numbers.len() != layers.len() {
        return Err("two layers of its model have one name; rename one in Keras".into());
    }
    let mut first = None;
    let mut next: Vec<Option<usize>> = vec![None; layers.len()];
    for (index, layer) in layers.iter().enumerate() {
        let inputs = inputs(layer)?;
        let [input] = inputs[..] else {
            match (inputs.len(), first) {
                (0, None) => first = Some(index),
                (0, Some(_)) => return Err(layer.fault("is a second input, and a network here has one image")),
                (count, _) => {
                    let inputs = counted(count, "input");
                    return Err(layer.fault(&format!(
                        "has {inputs}, and here each layer has the one before it; give a model without branches"
                    )));
                }
            }
            continue;
        };
        let before = *numbers
            .get(input)
            .ok_or_else(|| layer.fault("comes behind a layer that is not there; save the model anew"))?;
        if let Some(other) = next[before].replace(index) {
            let reason = format!(
                "goes to two layers, '{}' and '{}', and here each has one behind it; give a model without branches",
                shortened(layers[other].name),
                shortened(layer.name)
            );
            return Err(layers[before].fault(&reason));
        }
    }
    let (mut place, mut order) = (first, Vec::new());
    while let Some(index) = place {
        order.push(index);
        place = next[index].take();
    }
    if let Some(lost) = (0..layers.len()).find(|index| !order.contains(index)) {
        return Err(layers[lost].fault("is not reached from the input; give a model that is one chain"));
    }
    let mut layers: Vec<Option<KerasLayer>> = layers.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|index| layers[index].take()).collect())
}

/// Returns the names of the layers whose outputs a layer of a graph takes.
fn inputs<'a>(layer: &KerasLayer<'a>) -> Result<Vec<&'a str>, String> {
    let nodes = layer.whole.get("inbound_nodes").and_then(Value::as_array);
    let nodes = nodes.map_or(&[][..], Vec::as_slice);
    let mut names = Vec::new();
    match nodes {
        [] => {}
        // Keras 3: the arguments of the call, tensors among them.
        [Value::Object(call)] => call.values().for_each(|arguments| tensors(arguments, &mut names)),
        // Keras 2: for each tensor the layer, its call, which of its outputs, and other arguments.
        [Value::Array(node)] => names.extend(node.iter().filter_map(|input| input.get(0)?.as_str())),
        _ => {
            return Err(layer.fault("is used twice, and a layer here is used once; give a model that shares no layers"));
        }
    }
    Ok(names)
}

/// Collects the layers of the tensors in the arguments of a call.
fn tensors<'a>(value: &'a Value, names: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) if text(object, "class_name") == Some("__keras_tensor__") => {
            let history = object.get("config").and_then(|config| config.get("keras_history"));
            names.extend(history.and_then(|history| history.get(0)?.as_str()));
        }
        Value::Object(object) => object.values().for_each(|value| tensors(value, names)),
        Value::Array(values) => values.iter().for_each(|value| tensors(value, names)),
        _ => {}
    }
}

/// Returns a text in an object.
pub fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str()
}

/// Returns a class's name as Keras writes it in places: `DepthwiseConv2D` is `depthwise_conv2d`, `ReLU` is
/// `re_lu`.
pub fn snake_case(class: &str) -> String {
    let letters: Vec<char> = match class {
        "Model" => "functional".chars().collect(),
        class => class.chars().filter(|letter| letter.is_alphanumeric() || *letter == '_').collect(),
    };
    let mut snake = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| letters[before]);
        let begins_word = letter.is_ascii_uppercase() && letters.get(index + 1).is_some_and(char::is_ascii_lowercase);
        let ends_word = letter.is_ascii_uppercase() && before.is_some_and(|before| before.is_ascii_lowercase());
        if before.is_some_and(|before| before != '_') && (begins_word || ends_word) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn order(model: &Value) -> Result<String, String> {
        let layers = chain(model)?;
        Ok(layers
            .iter()
            .map(|layer| format!("{} at {} in {}", layer.name, layer.place, layer.top))
            .collect::<Vec<_>>()
            .join(", "))
    }

    fn node(class: &str, name: &str, inputs: &[&str]) -> Value {
        let tensor =
            |input: &&str| json!({"class_name": "__keras_tensor__", "config": {"keras_history": [input, 0, 0]}});
        let tensors: Vec<Value> = inputs.iter().map(tensor).collect();
        let nodes = if inputs.is_empty() { json!([]) } else { json!([{"args": [tensors], "kwargs": {"mask": null}}]) };
        json!({"class_name": class, "name": name, "config": {"name": name}, "inbound_nodes": nodes})
    }

    #[test]
    fn classes_are_called_as_keras_calls_them() {
        let names =
            ["Conv2D", "DepthwiseConv2D", "MaxPooling2D", "ReLU", "LeakyReLU", "BatchNormalization", "Dense", "Model"];
        assert_eq!(
            names.map(snake_case),
            [
                "conv2d",
                "depthwise_conv2d",
                "max_pooling2d",
                "re_lu",
                "leaky_re_lu",
                "batch_normalization",
                "dense",
                "functional"
            ]
        );
    }

    #[test]
    fn places_count_each_class_within_its_model() {
        let layer = |class: &str, name: &str| json!({"class_name": class, "config": {"name": name}});
        let within = json!({"class_name": "Sequential", "config": {"name": "inner", "layers": [layer("Conv2D", "c")]}});
        let layers =
            json!([layer("InputLayer", "i"), layer("Conv2D", "a"), layer("ReLU", "r"), within, layer("Conv2D", "b")]);
        let model = json!({"class_name": "Sequential", "config": {"layers": layers}});
        assert_eq!(
            order(&model).unwrap(),
            "i at layers/input_layer in i, a at layers/conv2d in a, r at layers/re_lu in r, c at layers/sequential/layers/conv2d in inner, \
             b at layers/conv2d_1 in b"
        );
    }

    #[test]
    fn a_graph_is_followed_from_its_input_and_places_are_of_the_list() {
        let layers = [node("Dense", "last", &["conv"]), node("InputLayer", "in", &[]), node("Conv2D", "conv", &["in"])];
        let model = json!({"class_name": "Functional", "config": {"layers": layers}});
        assert_eq!(
            order(&model).unwrap(),
            "in at layers/input_layer in in, conv at layers/conv2d in conv, last at layers/dense in last"
        );
        let old = json!({"class_name": "Model", "config": {"layers": [
            {"class_name": "InputLayer", "name": "in", "config": {}, "inbound_nodes": []},
            {"class_name": "Dense", "name": "last", "config": {}, "inbound_nodes": [[["in", 0, 0, {}]]]},
        ]}});
        assert_eq!(order(&old).unwrap(), "in at layers/input_layer in in, last at layers/dense in last");
    }

    #[test]
    fn what_is_no_chain_is_refused_by_the_layer_where_it_begins() {
        let error =
            |layers: &[Value]| order(&json!({"class_name": "Functional", "config": {"layers": layers}})).unwrap_err();
        let input = node("InputLayer", "in", &[]);
        let branches = [input.clone(), node("Dense", "a", &["in"]), node("Dense", "b", &["in"])];
        assert!(error(&branches).contains("its layer 'in', of the class InputLayer, goes to two layers, 'a' and 'b'"));
        let joined = [input.clone(), node("Add", "sum", &["in", "in"])];
        assert!(error(&joined).contains("its layer 'sum', of the class Add, has 2 inputs"));
        let circle = [input.clone(), node("Dense", "a", &["b"]), node("Dense", "b", &["a"])];
        assert!(error(&circle).contains("is not reached from the input"));
        assert!(error(&[input.clone(), node("InputLayer", "other", &[])]).contains("is a second input"));
        let mut shared = node("Dense", "a", &["in"]);
        shared["inbound_nodes"] = json!([{}, {}]);
        assert!(error(&[input, shared]).contains("is used twice"));
        assert!(order(&json!({"class_name": "MyModel", "config": {}})).unwrap_err().contains("class 'MyModel'"));
    }
}

//! The scripts and the style of the pages that one sees through: `explain`'s and `lecture`'s.
//!
//! Plain scripts in a fixed order, which define one object, `Glass`; each builds on those before it:
//!
//! | files | what |
//! |---|---|
//! | `bundle` | the header and the bytes of a [bundle](crate::explain::Bundle) |
//! | `dom`, `numbers` | elements; numbers that say what they are of |
//! | `geometry`, `layers`, `network` | the mathematics: forward and backward of every kind of layer, computed when asked for |
//! | `terms`, `zeros`, `update` | the terms of sums, the causes of zeros, the optimizer's step |
//! | `selection`, `keys` | what the reader has chosen, in the address; the keyboard |
//! | `colors`, `grid`, `tiles`, `matrix`, `sums`, `maps`, `products` | pictures of cells, formulas and tables |
//! | `here`, `view_…`, `forward_…`, `backward_…`, `step` | the views: from the network to one weight |
//! | `page` | `Glass.start()`, `Glass.mount(root, bundle)`, `Glass.update(bundle)` |
//!
//! A page has elements with `data-view="network"`, `maps`, `forward`, `loss`, `backward` or `weight`, which
//! the scripts fill; nothing in them asks a network, and no attribute holds a style or a listener, so that a
//! strict Content-Security-Policy lets them run.

/// The scripts in their order, each with its name.
pub const SCRIPTS: &[(&str, &str)] = &[
    ("bundle.js", include_str!("bundle.js")),
    ("dom.js", include_str!("dom.js")),
    ("numbers.js", include_str!("numbers.js")),
    ("geometry.js", include_str!("geometry.js")),
    ("layers.js", include_str!("layers.js")),
    ("network.js", include_str!("network.js")),
    ("terms.js", include_str!("terms.js")),
    ("zeros.js", include_str!("zeros.js")),
    ("update.js", include_str!("update.js")),
    ("selection.js", include_str!("selection.js")),
    ("keys.js", include_str!("keys.js")),
    ("colors.js", include_str!("colors.js")),
    ("grid.js", include_str!("grid.js")),
    ("tiles.js", include_str!("tiles.js")),
    ("matrix.js", include_str!("matrix.js")),
    ("sums.js", include_str!("sums.js")),
    ("maps.js", include_str!("maps.js")),
    ("here.js", include_str!("here.js")),
    ("view_network.js", include_str!("view_network.js")),
    ("view_maps.js", include_str!("view_maps.js")),
    ("products.js", include_str!("products.js")),
    ("forward_convolution.js", include_str!("forward_convolution.js")),
    ("forward_dense.js", include_str!("forward_dense.js")),
    ("forward_kinds.js", include_str!("forward_kinds.js")),
    ("view_forward.js", include_str!("view_forward.js")),
    ("view_loss.js", include_str!("view_loss.js")),
    ("backward_origin.js", include_str!("backward_origin.js")),
    ("backward_through.js", include_str!("backward_through.js")),
    ("view_backward.js", include_str!("view_backward.js")),
    ("step.js", include_str!("step.js")),
    ("view_weight.js", include_str!("view_weight.js")),
    ("page.js", include_str!("page.js")),
];

/// The style.
pub const STYLE: &str = include_str!("glass.css");

/// Returns JSON that nothing in it can end the script element in which it stands, as a file's name might.
pub(super) fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

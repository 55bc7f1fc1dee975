//! Why an algorithm computes a pass, and why the others do not: the rule of the [registry](super::registry)
//! in words, for each of them.

use super::registry::{CONV_ALGORITHMS, ConvPolicy, DIRECT_CHANNELS, SPARSE_PATCH, WINOGRAD_CHANNELS, WINOGRAD_TILES};
use super::{ConvAlgorithm, Pass};
use crate::geometry::ConvGeometry;

/// A layer and what it is computed for, as the rule sees it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The user's wish.
    pub policy: ConvPolicy,
    /// The convolution.
    pub geometry: &'a ConvGeometry,
    /// Whether most of its output's gradient is 0, behind a max-pool.
    pub sparse_gradient: bool,
    /// Whether there will be gradients.
    pub training: bool,
}

/// Returns a line for each algorithm: the one that computes the pass first.
pub fn reasons(asked: Asked, pass: Pass) -> Vec<String> {
    let Asked { policy, geometry, sparse_gradient, training } = asked;
    let taken = policy.algorithms(geometry, sparse_gradient, training).of(pass);
    let others = CONV_ALGORITHMS.iter().filter(|other| other.name() != taken.name());
    let mut lines = vec![format!("{}: taken", taken.name())];
    lines.extend(others.map(|other| format!("{}: {}", other.name(), against(asked, pass, *other, taken))));
    lines
}

/// Returns what speaks against an algorithm where `taken` is the one that computes the pass.
fn against(asked: Asked, pass: Pass, other: &dyn ConvAlgorithm, taken: &dyn ConvAlgorithm) -> String {
    let Asked { policy, geometry, sparse_gradient, training } = asked;
    if !other.supports(geometry, pass) {
        return impossible(geometry, pass, other);
    }
    if policy != ConvPolicy::Auto {
        return format!("{policy} was asked for");
    }
    let (channels, filters) = (geometry.input[2], geometry.filters);
    let patch = geometry.patch_len();
    match other.name() {
        "im2col" => format!("{} takes the same sums and writes no matrix of patches", taken.name()),
        "direct" => format!("{} has fewer products to take", taken.name()),
        "sparse" if !sparse_gradient => "no max-pool right behind it leaves most of the gradient 0".into(),
        "sparse" if patch < SPARSE_PATCH => {
            format!("a patch of {patch} values is sooner multiplied than looked at; it needs {SPARSE_PATCH}")
        }
        "sparse" => format!(
            "with {channels} channels and {filters} filters its time goes into lists; it needs {WINOGRAD_CHANNELS} of each"
        ),
        _ if channels.min(filters) < WINOGRAD_CHANNELS => format!(
            "with {channels} channels and {filters} filters its transforms cost more than its products save; it needs \
             {WINOGRAD_CHANNELS} of each"
        ),
        _ if pass == Pass::GradInput && taken.name() == "sparse" => {
            "most of the gradient is 0, and the lists of the rest are shorter work".into()
        }
        "winograd" if pass == Pass::GradInput || training => {
            "its rounding would lead training away from Keras's losses, by 1e-5 to 1e-4 within seven steps".into()
        }
        "winograd" => {
            format!("its tiles are fewer than {WINOGRAD_TILES} in an image, so its weights are loaded for too little")
        }
        _ => format!("{} has fewer products to take", taken.name()),
    }
}

/// Returns why an algorithm cannot do a pass.
fn impossible(geometry: &ConvGeometry, pass: Pass, algorithm: &dyn ConvAlgorithm) -> String {
    let [height, width] = geometry.kernel;
    let [down, across] = geometry.stride;
    let of_size = match algorithm.name() {
        "winograd" | "winograd2x4" | "winograd2x2" => Some(3),
        "winograd5x5" => Some(5),
        _ => None,
    };
    match (of_size, algorithm.name()) {
        (Some(_), _) if pass == Pass::GradWeights => "it has no gradient of the weights".into(),
        (_, "sparse") if pass == Pass::Forward => "it is for gradients alone".into(),
        _ if geometry.is_dilated() => "it takes no dilated kernel".into(),
        (Some(size), _) if geometry.kernel != [size; 2] => {
            format!("it is for kernels of {size}×{size}, and this is one of {height}×{width}")
        }
        (Some(_), _) => format!("it is for steps of 1, and this one's are {down}×{across}"),
        _ => format!(
            "it takes no kernel of {height}×{width} with steps of {down}×{across}, {DIRECT_CHANNELS} channels or fewer"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Padding;

    #[test]
    fn every_algorithm_has_a_line_and_the_one_taken_is_the_rules() {
        for (channels, kernel, stride, filters) in
            [(3, 3, 1, 32), (32, 3, 1, 64), (64, 5, 1, 128), (16, 3, 2, 32), (64, 1, 1, 64)]
        {
            let geometry =
                ConvGeometry::new([30, 30, channels], [kernel; 2], [stride; 2], Padding::Valid, filters).unwrap();
            for (policy, sparse_gradient, training) in
                ConvPolicy::ALL.iter().flat_map(|&p| [(p, false, false), (p, false, true), (p, true, true)])
            {
                for pass in if training { &Pass::ALL[..] } else { &Pass::ALL[..1] } {
                    let asked = Asked { policy, geometry: &geometry, sparse_gradient, training };
                    let lines = reasons(asked, *pass);
                    let taken = policy.algorithms(&geometry, sparse_gradient, training).of(*pass).name();
                    assert_eq!(lines[0], format!("{taken}: taken"));
                    let mut names: Vec<&str> = lines.iter().map(|line| line.split(':').next().unwrap()).collect();
                    names.sort_unstable();
                    let mut all: Vec<&str> = CONV_ALGORITHMS.iter().map(|algorithm| algorithm.name()).collect();
                    all.sort_unstable();
                    assert_eq!(names, all);
                }
            }
        }
    }

    #[test]
    fn a_reason_names_what_is_so_in_this_layer() {
        let geometry = ConvGeometry::new([128, 128, 3], [3, 3], [1, 1], Padding::Valid, 32).unwrap();
        let asked = Asked { policy: ConvPolicy::Auto, geometry: &geometry, sparse_gradient: true, training: true };
        let lines = reasons(asked, Pass::Forward);
        let few = "winograd2x2: with 3 channels and 32 filters its transforms cost more than its products save; it needs 16 of each";
        assert!(lines.iter().any(|line| line == few), "{lines:#?}");
        let five = "winograd5x5: it is for kernels of 5×5, and this is one of 3×3";
        assert!(lines.iter().any(|line| line == five), "{lines:#?}");
        let lines = reasons(asked, Pass::GradWeights);
        let short = "sparse: a patch of 27 values is sooner multiplied than looked at; it needs 128";
        assert!(lines.iter().any(|line| line == short), "{lines:#?}");
    }
}

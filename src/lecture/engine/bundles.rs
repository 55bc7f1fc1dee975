//! Steps as the page is given them, the last few kept.

use crate::explain::{Bundle, BundleOptions, Focus, Moment, Weight};
use crate::head::ClassWeights;
use crate::lecture::session::TakenStep;
use crate::network::Network;
use crate::optim::OptimizerSettings;
use crate::report::explanation::{ExplanationPage, explanation_page};
use crate::{Error, Result};
use std::sync::{Arc, Mutex, PoisonError};

/// The most bytes of tensors in a bundle, as on `explain`'s page.
const BUDGET: usize = 5_200_000;

/// How many bundles are kept: the reader's and the one ahead, of two images.
const KEPT: usize = 4;

/// What is told of the training as a whole.
pub struct Subject {
    /// The network.
    pub network: Arc<Network>,
    /// The data's name.
    pub data: String,
    /// The name of each image of the set.
    pub names: Vec<String>,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The weight of each class in the loss.
    pub class_weights: ClassWeights,
    /// The smoothing of the labels.
    pub label_smoothing: f64,
    /// The optimizer.
    pub optimizer: OptimizerSettings,
    /// The steps of an epoch.
    pub steps_per_epoch: usize,
}

/// What a bundle is of.
#[derive(Clone, PartialEq)]
struct Key {
    taken: u64,
    image: usize,
    weight: Option<String>,
}

/// The bundles.
pub(super) struct Bundles {
    subject: Subject,
    kept: Mutex<Vec<(Key, Arc<Vec<u8>>)>>,
    /// Image and weight that were asked for last.
    last: Mutex<(usize, Option<String>)>,
}

impl Bundles {
    pub fn new(subject: Subject) -> Bundles {
        Bundles { subject, kept: Mutex::default(), last: Mutex::default() }
    }

    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Returns the bundle of a step.
    ///
    /// # Errors
    /// [`Error::Setting`] of an image or a weight that there is not.
    pub fn of(&self, taken: &TakenStep, image: usize, weight: Option<&str>) -> Result<Arc<Vec<u8>>> {
        let bundle = self.made(taken, image, weight)?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = (image, weight.map(str::to_string));
        Ok(bundle)
    }

    /// Makes the bundle of a step that may be asked for.
    pub fn pack(&self, taken: &TakenStep) {
        let (image, weight) = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // The last batch of an epoch may have fewer images; then nothing is made ahead.
        let _ = self.made(taken, image, weight.as_deref());
    }

    fn made(&self, taken: &TakenStep, image: usize, weight: Option<&str>) -> Result<Arc<Vec<u8>>> {
        let key = Key { taken: taken.id, image, weight: weight.map(str::to_string) };
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bundle)) = kept().iter().find(|(other, _)| *other == key) {
            return Ok(Arc::clone(bundle));
        }
        let moment = self.moment(taken);
        let focus = self.focus(&moment, image, weight)?;
        let options = BundleOptions { focus, budget: BUDGET, shares: false };
        let bundle = Arc::new(Bundle::new(&moment, &options).to_bytes());
        let mut kept = kept();
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((key, Arc::clone(&bundle)));
        Ok(bundle)
    }

    /// Returns the share of each image in the gradient of a weight.
    ///
    /// # Errors
    /// [`Error::Setting`] of a weight that there is not.
    pub fn shares(&self, taken: &TakenStep, weight: &str) -> Result<Vec<f64>> {
        let weight = Weight::parse(&self.subject.network, weight)?;
        Ok(self.moment(taken).shares(&weight))
    }

    /// Returns the page of a step.
    ///
    /// # Errors
    /// [`Error::Setting`] of an image or a weight that there is not.
    pub fn page(&self, taken: &TakenStep, image: usize, weight: Option<&str>) -> Result<String> {
        let moment = self.moment(taken);
        let focus = self.focus(&moment, image, weight)?;
        let options = BundleOptions { focus: focus.clone(), budget: BUDGET, shares: true };
        let bundle = Bundle::new(&moment, &options);
        let facts = moment.snapshot.facts();
        let facts = [
            ("data", self.subject.data.clone()),
            ("step", format!("{} of a training, in epoch {}", taken.step, taken.epoch + 1)),
            ("learning rate", moment.snapshot.learning_rate().to_string()),
            ("image", moment.names[focus.image].clone()),
            ("computed by", format!("glassnet {}, {} instructions", facts.version, facts.instruction_set)),
        ];
        Ok(explanation_page(&ExplanationPage {
            moment: &moment,
            bundle: &bundle,
            focus: &focus,
            facts: &facts,
            pictures: &[],
        }))
    }

    fn focus(&self, moment: &Moment, image: usize, weight: Option<&str>) -> Result<Focus> {
        if !moment.snapshot.loss().is_finite() && weight.is_none() {
            // Of gradients that are no numbers none is the largest.
            let entry = self.subject.network.table().entries().iter().find(|entry| entry.is_trainable());
            let name = &entry.ok_or_else(|| Error::setting("weight", "the network has none"))?.name;
            return Focus::new(moment, image, Some(Weight::at(&self.subject.network, name, 0)));
        }
        let weight = weight.map(|text| Weight::parse(&self.subject.network, text)).transpose()?;
        Focus::new(moment, image, weight)
    }

    fn moment<'a>(&'a self, taken: &'a TakenStep) -> Moment<'a> {
        let Subject { network, names, classes, class_weights, label_smoothing, optimizer, .. } = &self.subject;
        let names = taken.indices.iter().map(|index| names[*index].clone()).collect();
        let losses = (class_weights.clone(), *label_smoothing);
        Moment::with_loss_after(
            network,
            &taken.snapshot,
            *optimizer,
            [names, classes.clone()],
            losses,
            taken.loss_after,
        )
    }
}

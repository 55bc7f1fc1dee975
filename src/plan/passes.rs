//! A batch's way through a plan's steps, forward and backward.

use super::compile::Plan;
use super::observer::{Observer, StepGradient, StepOutput};
use super::workspace::Workspace;
use crate::distributed::Share;
use crate::head::Logits;
use crate::layers::operation::{Backward, Forward, Mode, Work};
use crate::layers::sink::Sink;
use crate::parameters::Parameters;
use crate::{Error, Result};
use ndarray::ArrayView4;

impl Plan<'_> {
    /// Runs the batch `images` `[N, H, W, C]` through all steps and returns the logits `[N×U]`.
    ///
    /// # Errors
    /// Where the images are not of the network's input size, are not one contiguous block, or are more than
    /// the plan is for; or a training pass is asked of a plan made for inference.
    ///
    /// # Panics
    /// If the parameters are another network's, the workspace another plan's, or masks are given that do not
    /// fit.
    pub fn forward<'w>(
        &self,
        parameters: &Parameters,
        images: ArrayView4<f32>,
        mode: Mode,
        workspace: &'w mut Workspace,
    ) -> Result<Logits<'w>> {
        self.forward_observed(parameters, images, mode, workspace, &mut ())
    }

    /// [`Plan::forward`] under the eyes of an observer.
    ///
    /// # Errors
    /// As [`Plan::forward`]; the observer has then been told nothing.
    ///
    /// # Panics
    /// As [`Plan::forward`].
    pub fn forward_observed<'w>(
        &self,
        parameters: &Parameters,
        images: ArrayView4<f32>,
        mode: Mode,
        workspace: &'w mut Workspace,
        observer: &mut impl Observer,
    ) -> Result<Logits<'w>> {
        self.forward_shared(Share::all(images.dim().0), parameters, images, mode, workspace, observer)
    }

    /// [`Plan::forward_observed`] of a share of a batch: `images` are those of the share, and may be none
    /// where others have some. All ranks take part.
    ///
    /// # Errors
    /// As [`Plan::forward_observed`].
    ///
    /// # Panics
    /// As [`Plan::forward`], and if there are not as many images as the share has.
    pub fn forward_shared<'w>(
        &self,
        share: Share,
        parameters: &Parameters,
        images: ArrayView4<f32>,
        mode: Mode,
        workspace: &'w mut Workspace,
        observer: &mut impl Observer,
    ) -> Result<Logits<'w>> {
        let (images, batch) = (self.check_images(share, &images)?, share.count());
        workspace.trained = match mode {
            Mode::Inference => None,
            Mode::Training(_) if self.options().training => Some(batch),
            Mode::Training(_) => return Err(Error::setting("plan", "it was made for inference and cannot train")),
        };
        workspace.backward_done = false;
        workspace.running_updated = false;
        let Workspace { outputs, saved, partials, packed, scratch, .. } = workspace;
        observer.forward_begins();
        for (index, step) in self.steps().iter().enumerate() {
            let (before, rest) = outputs.split_at_mut(index);
            let input = before.last().map_or(images, |output| &output[..batch * step.input.len()]);
            let output = &mut rest[0][..batch * step.output.len()];
            let work = Work { partials, packed, scratch };
            let saved = &mut saved[index];
            let saved_values = &mut *saved;
            let pass = Forward { share, parameters, mode, input, output: &mut *output, saved: saved_values, work };
            step.operation.forward(pass);
            observer.output(StepOutput { index, step, input, output, saved });
        }
        let units = self.network().head().units();
        Ok(Logits::new(&outputs[outputs.len() - 1].as_slice()[..batch * units], units))
    }

    /// Runs the gradient of the loss by the logits, `[N×U]`, back through all steps, and gives `sink` the
    /// gradient of every parameter. `images`, `workspace` and the sink's parameters are those of the forward
    /// pass before, which was for training.
    ///
    /// # Errors
    /// As [`Plan::forward`]; and where the forward pass before was not for training, or of another batch
    /// size. The sink has then been told nothing.
    ///
    /// # Panics
    /// If the parameters are another network's, or the workspace another plan's.
    pub fn backward(
        &self,
        images: ArrayView4<f32>,
        grad_logits: &[f32],
        sink: &mut impl Sink,
        workspace: &mut Workspace,
    ) -> Result<()> {
        self.backward_observed(images, grad_logits, sink, workspace, &mut ())
    }

    /// [`Plan::backward`] under the eyes of an observer.
    ///
    /// # Errors
    /// As [`Plan::backward`]; the observer has then been told nothing.
    ///
    /// # Panics
    /// As [`Plan::backward`].
    pub fn backward_observed(
        &self,
        images: ArrayView4<f32>,
        grad_logits: &[f32],
        sink: &mut impl Sink,
        workspace: &mut Workspace,
        observer: &mut impl Observer,
    ) -> Result<()> {
        self.backward_shared(Share::all(images.dim().0), images, grad_logits, sink, workspace, observer)
    }

    /// [`Plan::backward_observed`] of a share of a batch, that of the forward pass before. All ranks take
    /// part.
    ///
    /// # Errors
    /// As [`Plan::backward_observed`].
    ///
    /// # Panics
    /// As [`Plan::forward_shared`].
    pub fn backward_shared(
        &self,
        share: Share,
        images: ArrayView4<f32>,
        grad_logits: &[f32],
        sink: &mut impl Sink,
        workspace: &mut Workspace,
        observer: &mut impl Observer,
    ) -> Result<()> {
        let (images, batch) = (self.check_backward(share, &images, grad_logits, workspace)?, share.count());
        workspace.backward_done = true;
        let Workspace { outputs, saved, partials, packed, scratch, .. } = workspace;
        let [grad_output, grad_input] = &mut workspace.gradients;
        grad_output[..grad_logits.len()].copy_from_slice(grad_logits);
        observer.backward_begins();
        for (index, step) in self.steps().iter().enumerate().skip(self.first_backward()).rev() {
            let (inputs, values) = (batch * step.input.len(), batch * step.output.len());
            let input = if index == 0 { images } else { &outputs[index - 1][..inputs] };
            let (output, saved) = (&outputs[index][..values], &saved[index]);
            let mut grad_input_values = self.goes_on(index).then(|| &mut grad_input[..inputs]);
            let pass = Backward {
                share,
                input,
                output,
                saved,
                grad_output: &grad_output[..values],
                grad_input: grad_input_values.as_deref_mut(),
                work: Work { partials, packed, scratch },
            };
            step.operation.backward(pass, sink);
            observer.gradient(StepGradient {
                forward: StepOutput { index, step, input, output, saved },
                grad_output: &grad_output[..values],
                grad_input: grad_input_values.as_deref(),
            });
            std::mem::swap(grad_output, grad_input);
        }
        Ok(())
    }

    /// Brings those weights up to date that no optimizer moves, the moving statistics of batch
    /// normalizations, by the batch that went forward last: the last thing of a training step. Without such
    /// layers it does nothing.
    ///
    /// # Errors
    /// Where the forward pass before was not for training, or has been taken into account already.
    ///
    /// # Panics
    /// If the parameters are another network's, or the workspace another plan's.
    pub fn update_running(&self, parameters: &mut Parameters, workspace: &mut Workspace) -> Result<()> {
        if workspace.trained.is_none() || workspace.running_updated {
            let reason = "it needs a training forward pass before it, one for each call";
            return Err(Error::setting("update_running", reason));
        }
        workspace.running_updated = true;
        for (step, saved) in self.steps().iter().zip(&workspace.saved) {
            step.operation.update_running(saved, parameters);
        }
        Ok(())
    }

    /// The images, if a backward pass can run.
    fn check_backward<'a>(
        &self,
        share: Share,
        images: &'a ArrayView4<f32>,
        grad_logits: &[f32],
        workspace: &Workspace,
    ) -> Result<&'a [f32]> {
        let (images, batch) = (self.check_images(share, images)?, share.count());
        if workspace.trained != Some(batch) {
            let reason = format!("it needs a training forward pass of the same {batch} images before it");
            return Err(Error::setting("backward", reason));
        }
        let units = self.network().head().units();
        if grad_logits.len() != batch * units {
            return Err(Error::Shape {
                layer: self.network().layers().last().map_or("output", |layer| &layer.name).to_string(),
                expected: vec![batch, units],
                found: vec![grad_logits.len()],
            });
        }
        Ok(images)
    }

    /// ∂L/∂images of the last backward pass, `[N, H, W, C]`.
    ///
    /// # Errors
    /// Where the plan was made without `input_gradient`, or no training pass has run.
    pub fn input_gradient<'w>(&self, workspace: &'w Workspace) -> Result<ArrayView4<'w, f32>> {
        let Some(batch) = workspace.trained.filter(|_| self.options().input_gradient && workspace.backward_done) else {
            return Err(Error::setting("input_gradient", "the plan was made without it, or has not run backward"));
        };
        let [height, width, channels] = self.network().spec().input;
        let shape = [batch, height, width, channels];
        let values = &workspace.gradients[0].as_slice()[..shape.iter().product()];
        Ok(ArrayView4::from_shape(shape, values).expect("a gradient holds its images' shape"))
    }

    /// The images as one slice, if they are what this plan is for.
    fn check_images<'a>(&self, share: Share, images: &'a ArrayView4<f32>) -> Result<&'a [f32]> {
        let [height, width, channels] = self.network().spec().input;
        let found = images.shape();
        assert_eq!(found[0], share.count(), "the images of the share");
        if found[1..] != [height, width, channels] || share.whole() == 0 || share.whole() > self.batch() {
            return Err(Error::Shape {
                layer: "input".into(),
                expected: vec![self.batch(), height, width, channels],
                found: found.to_vec(),
            });
        }
        images.as_slice().ok_or_else(|| {
            Error::layer("input", "the batch is not one block in N, H, W, C order; use as_standard_layout() before")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::operation::DropoutMasks;
    use crate::layers::sink::GradientWriter;
    use crate::network::Network;
    use crate::plan::PlanOptions;
    use crate::spec::ModelSpec;
    use ndarray::Array4;

    #[test]
    fn arrays_of_another_shape_are_refused_with_both_shapes() {
        let network = Network::new(&ModelSpec::documented().with_image_size(24)).unwrap();
        let parameters = network.initial_parameters(0);
        let plan = Plan::new(&network, 2, PlanOptions { training: true, ..PlanOptions::default() });
        let mut workspace = plan.workspace();
        let mode = Mode::Training(DropoutMasks::Drawn { seed: 0, step: 0 });
        for found in [[3, 24, 24, 3], [0, 24, 24, 3], [1, 23, 24, 3], [1, 24, 24, 1]] {
            let images = Array4::zeros(found);
            let error = plan.forward(&parameters, images.view(), mode, &mut workspace).unwrap_err();
            let expected = format!("layer input: an array of {found:?}, where [2, 24, 24, 3] is needed");
            assert_eq!(error.to_string(), expected);
        }
        let images = Array4::zeros([2, 24, 24, 3]);
        let mut gradients = Parameters::zeros(network.table());
        let mut backward = |grad_logits: &[f32], workspace: &mut Workspace| {
            let mut sink = GradientWriter::new(&parameters, &mut gradients);
            plan.backward(images.view(), grad_logits, &mut sink, workspace).map_err(|error| error.to_string())
        };
        let early = "backward: it needs a training forward pass of the same 2 images before it";
        assert_eq!(backward(&[0.0; 2], &mut workspace).unwrap_err(), early);
        plan.forward(&parameters, images.view(), mode, &mut workspace).unwrap();
        let wrong = "layer dense_1: an array of [3], where [2, 1] is needed";
        assert_eq!(backward(&[0.0; 3], &mut workspace).unwrap_err(), wrong);
        assert_eq!(backward(&[0.0; 2], &mut workspace), Ok(()));
    }
}

//! Images that are moved, turned, stretched and bent a little, at random, so that
//! a network does not learn where a stroke lies but what it is.
//!
//! The map goes backwards: for each pixel of the new image it says where in the
//! old one to look, and what is there between four pixels is interpolated
//! (bilinearly, with 0 outside). About the middle of the image, in this order:
//!
//! ```text
//! shear    x ← x + k·y
//! rotate   (x, y) ← (x·cos θ − y·sin θ, x·sin θ + y·cos θ)
//! scale    (x, y) ← (x·a, y·b)
//! shift    (x, y) ← (x + s, y + t)
//! deskew   (x, y) ← (x + lean·y + x̄, y + ȳ)           see `deskew.rs`
//! elastic  (x, y) ← (x + u(pixel), y + v(pixel))      see `elastic.rs`
//! ```
//!
//! Each letter is drawn anew for each image and epoch, but for those of deskewing, which
//! is a function of the image, and done only if that is wanted.

mod deskew;
mod elastic;
mod error;
mod matrix;
mod sample;
mod shift;

use std::cell::RefCell;

use kernels::{AlignedBuf, Isa, Stream, uniform};
use serde::{Deserialize, Serialize};

use elastic::Smoothing;
use matrix::Matrix;
use sample::{Bend, Sampler};

pub use error::AugmentError;

/// How far an image may be changed. Each number is the end of a range ±, from
/// which every image draws uniformly; 0 leaves that part out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Augment {
    /// Shift along each axis, in pixels, 0 to 1024.
    pub shift: f32,
    /// Whether shifts are by whole pixels only: each of those within the range
    /// is then as likely as any other.
    pub whole_pixels: bool,
    /// Rotation, in degrees, 0 to 180.
    pub rotate: f32,
    /// Stretching of each axis, as a share of its length, at least 0 and below 1.
    pub scale: f32,
    /// Shear: horizontal pixels for each vertical one, 0 to 1.
    pub shear: f32,
    /// Displacement that differs from pixel to pixel.
    pub elastic: Elastic,
}

/// A field of displacements: for each pixel and axis a uniform number on (−1, 1),
/// smoothed by a Gaussian and multiplied (Simard, Steinkraus and Platt, "Best
/// Practices for Convolutional Neural Networks", ICDAR 2003).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Elastic {
    /// Factor of the smoothed field, in pixels, 0 to 1000; 0 leaves it out. A
    /// pixel then moves by some `displacement / (6·sigma)` along each axis.
    pub displacement: f32,
    /// Standard deviation of the Gaussian, in pixels, 0.1 to 1000.
    pub sigma: f32,
}

impl Default for Elastic {
    fn default() -> Self {
        Self { displacement: 0.0, sigma: 4.0 }
    }
}

impl Augment {
    /// Checks every number against its range.
    ///
    /// # Errors
    /// [`AugmentError::OutOfRange`], which names the number.
    pub fn validate(&self) -> Result<(), AugmentError> {
        let Elastic { displacement, sigma } = self.elastic;
        // No range contains NaN.
        for (name, found, valid, expected) in [
            ("shift", self.shift, (0.0..=1024.0).contains(&self.shift), "0 to 1024 pixels"),
            ("rotate", self.rotate, (0.0..=180.0).contains(&self.rotate), "0 to 180 degrees"),
            ("scale", self.scale, (0.0..1.0).contains(&self.scale), "at least 0 and below 1"),
            ("shear", self.shear, (0.0..=1.0).contains(&self.shear), "0 to 1"),
            (
                "elastic displacement",
                displacement,
                (0.0..=1000.0).contains(&displacement),
                "0 to 1000 pixels",
            ),
            ("elastic sigma", sigma, (0.1..=1000.0).contains(&sigma), "0.1 to 1000 pixels"),
        ] {
            if !valid {
                return Err(AugmentError::OutOfRange { name, found, expected });
            }
        }
        Ok(())
    }

    /// Whether it leaves every image as it is.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        let Self { shift, rotate, scale, shear, elastic, .. } = *self;
        [shift, rotate, scale, shear, elastic.displacement].iter().all(|range| *range == 0.0)
    }
}

/// Where random numbers are drawn: an image is changed as a function of this, so
/// neither the order of images nor the number of threads matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Draw {
    /// Seed of the run.
    pub seed: u64,
    /// The pass over the images, modulo 2³².
    pub epoch: u64,
    /// The image, modulo 2³².
    pub sample: u64,
}

/// An [`Augment`] for images of one size.
///
/// ```
/// use mnist_io::{Augment, Draw, Warp};
///
/// let warp = Warp::new(Augment { rotate: 10.0, ..Augment::default() }, 28, 28)?;
/// let isa = kernels::Isa::active()?;
/// let mut image = [0.5; 28 * 28];
/// warp.apply(isa, Draw { seed: 1, epoch: 0, sample: 7 }, &mut image);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Warp {
    augment: Augment,
    deskew: bool,
    rows: usize,
    cols: usize,
    path: Path,
}

/// What has to be done with an image.
#[derive(Clone, Debug)]
enum Path {
    Nothing,
    Shift,
    Sample(Sampler),
    Bend(Sampler, Smoothing),
}

/// Random numbers for the whole image: two for the shift, then rotation and shear,
/// two for the scale, and some that are left for later. Those for elastic
/// displacements follow, a grid for x and one for y.
const HEAD: usize = 16;

/// The word that keeps these random numbers apart from those of a network, which
/// has the index of a layer in its place.
const DOMAIN: u32 = u32::MAX;

/// Memory of a thread: what one image needs, and the next one writes again.
#[derive(Default)]
struct Scratch {
    numbers: AlignedBuf,
    table: AlignedBuf,
    fields: AlignedBuf,
    sums: AlignedBuf,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Warp {
    /// Rows and columns of an image at the most.
    pub const MOST: usize = error::MAX_SIDE;

    /// For images of `rows` × `cols` pixels.
    ///
    /// # Errors
    /// As for [`Augment::validate`], and [`AugmentError::Size`] where a side is
    /// neither 1 nor up to [`MOST`](Self::MOST).
    pub fn new(augment: Augment, rows: usize, cols: usize) -> Result<Self, AugmentError> {
        augment.validate()?;
        let sides = 1..=Self::MOST;
        if !sides.contains(&rows) || !sides.contains(&cols) {
            return Err(AugmentError::Size { rows, cols });
        }
        let path = if augment.is_identity() {
            Path::Nothing
        } else if (Augment { shift: 0.0, ..augment }).is_identity() {
            Path::Shift
        } else if augment.elastic.displacement == 0.0 {
            Path::Sample(Sampler::new(rows, cols))
        } else {
            Path::Bend(Sampler::new(rows, cols), Smoothing::new(augment.elastic, rows, cols))
        };
        Ok(Self { augment, deskew: false, rows, cols, path })
    }

    /// The same, of images that are deskewed first: their ink stands upright in the
    /// middle, sheared back by its lean. Both together are one look at the image.
    ///
    /// By itself, where [`Augment`] leaves images as they are, it is a function of the
    /// image, which whoever predicts has to do as well:
    ///
    /// ```
    /// use mnist_io::{Augment, Draw, Warp};
    ///
    /// let deskew = Warp::new(Augment::default(), 3, 3)?.deskewed();
    /// let mut image = [0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0];
    /// deskew.apply(kernels::Isa::active()?, Draw::default(), &mut image);
    /// assert_eq!(image, [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn deskewed(self) -> Self {
        let path = match self.path {
            Path::Nothing | Path::Shift => Path::Sample(Sampler::new(self.rows, self.cols)),
            path => path,
        };
        Self { deskew: true, path, ..self }
    }

    /// Changes one image of rows × cols numbers, row-major, in place.
    ///
    /// The result is a function of the image and of `draw`, with the same bits on
    /// every instruction set that has a fused multiply-add.
    ///
    /// # Panics
    /// If `image` is not rows × cols long.
    pub fn apply(&self, isa: Isa, draw: Draw, image: &mut [f32]) {
        assert_eq!(image.len(), self.rows * self.cols, "{} x {} pixels", self.rows, self.cols);
        let nodes = match &self.path {
            Path::Nothing => return,
            Path::Shift | Path::Sample(_) => 0,
            Path::Bend(_, smoothing) => smoothing.nodes(),
        };
        // Nothing below comes back to this function, so nobody else borrows it.
        SCRATCH.with_borrow_mut(|scratch| {
            let Scratch { numbers, table, fields, sums } = scratch;
            numbers.resize(HEAD + nodes);
            let counter = [draw.sample as u32, draw.epoch as u32, DOMAIN];
            uniform(isa, Stream { seed: draw.seed, counter, first: 0 }, numbers);
            let (head, noise) = numbers.split_at(HEAD);
            match &self.path {
                Path::Nothing => {}
                Path::Shift => {
                    let [x, y] = matrix::shift(&self.augment, head);
                    shift::shift(isa, self.rows, self.cols, [x, y], table, image);
                }
                Path::Sample(sampler) => {
                    let matrix = self.matrix(isa, head, sums, image);
                    sampler.sample(isa, &matrix, None, table, image);
                }
                Path::Bend(sampler, smoothing) => {
                    let matrix = self.matrix(isa, head, sums, image);
                    let bend = Bend { smoothing, noise, fields };
                    sampler.sample(isa, &matrix, Some(bend), table, image);
                }
            }
        });
    }

    /// The part of the map that is the same for all pixels of `image`.
    fn matrix(&self, isa: Isa, head: &[f32], sums: &mut AlignedBuf, image: &[f32]) -> Matrix {
        let drawn = Matrix::draw(&self.augment, head, self.rows, self.cols);
        if self.deskew { drawn.then(&deskew::upright(isa, self.cols, sums, image)) } else { drawn }
    }
}

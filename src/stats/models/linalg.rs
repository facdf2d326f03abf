//! The little dense linear algebra that the models need: matrices of a few rows (coefficients) up to a few hundred
//! (readers). Everything is row-major, allocation is plain, order of summation is fixed.

/// Row-major dense matrix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matrix {
    pub rows: usize,
    pub columns: usize,
    pub data: Vec<f64>,
}

impl Matrix {
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, data: vec![0.0; rows * columns] }
    }

    pub fn identity(n: usize) -> Self {
        let mut out = Self::zeros(n, n);
        for i in 0..n {
            out[(i, i)] = 1.0;
        }
        out
    }

    pub fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.columns..(i + 1) * self.columns]
    }

    pub fn transpose(&self) -> Self {
        let mut out = Self::zeros(self.columns, self.rows);
        for i in 0..self.rows {
            for j in 0..self.columns {
                out[(j, i)] = self[(i, j)];
            }
        }
        out
    }

    pub fn times(&self, other: &Self) -> Self {
        let mut out = Self::zeros(self.rows, other.columns);
        for i in 0..self.rows {
            for k in 0..self.columns {
                let a = self[(i, k)];
                for j in 0..other.columns {
                    out[(i, j)] += a * other[(k, j)];
                }
            }
        }
        out
    }

    pub fn times_vector(&self, v: &[f64]) -> Vec<f64> {
        (0..self.rows).map(|i| dot(self.row(i), v)).collect()
    }

    pub fn minus(&self, other: &Self) -> Self {
        let data = self.data.iter().zip(&other.data).map(|(a, b)| a - b).collect();
        Self { rows: self.rows, columns: self.columns, data }
    }

    pub fn scaled(&self, factor: f64) -> Self {
        Self { rows: self.rows, columns: self.columns, data: self.data.iter().map(|a| a * factor).collect() }
    }

    /// self += weight · v vᵀ
    pub fn add_outer(&mut self, weight: f64, v: &[f64]) {
        for (i, a) in v.iter().enumerate() {
            for (j, b) in v.iter().enumerate() {
                self.data[i * self.columns + j] += weight * a * b;
            }
        }
    }

    /// Removes row and column `k`.
    pub fn without(&self, k: usize) -> Self {
        let keep: Vec<usize> = (0..self.rows).filter(|i| *i != k).collect();
        let mut out = Self::zeros(keep.len(), keep.len());
        for (a, i) in keep.iter().enumerate() {
            for (b, j) in keep.iter().enumerate() {
                out[(a, b)] = self[(*i, *j)];
            }
        }
        out
    }

    pub fn symmetrised(&self) -> Self {
        let mut out = self.clone();
        for i in 0..self.rows {
            for j in 0..self.columns {
                out[(i, j)] = 0.5 * (self[(i, j)] + self[(j, i)]);
            }
        }
        out
    }

    pub fn to_rows(&self) -> Vec<Vec<f64>> {
        (0..self.rows).map(|i| self.row(i).to_vec()).collect()
    }
}

impl std::ops::Index<(usize, usize)> for Matrix {
    type Output = f64;
    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        &self.data[i * self.columns + j]
    }
}

impl std::ops::IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut f64 {
        &mut self.data[i * self.columns + j]
    }
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// A = L Lᵀ of a symmetric positive definite matrix.
#[derive(Debug, Clone)]
pub(crate) struct Cholesky {
    pub lower: Matrix,
}

impl Cholesky {
    /// `Err(k)`: pivot `k` is not above `PIVOT` of its diagonal, so that column `k` depends on those before it.
    pub fn new(a: &Matrix) -> Result<Self, usize> {
        /// Relative size below which a pivot is rounding error: normal equations lose half of the 16 digits.
        const PIVOT: f64 = 1e-12;
        let n = a.rows;
        let mut lower = Matrix::zeros(n, n);
        for j in 0..n {
            let mut pivot = a[(j, j)];
            for k in 0..j {
                pivot -= lower[(j, k)] * lower[(j, k)];
            }
            if !pivot.is_finite() || pivot <= PIVOT * a[(j, j)].abs() {
                return Err(j);
            }
            let diagonal = pivot.sqrt();
            lower[(j, j)] = diagonal;
            for i in j + 1..n {
                let mut sum = a[(i, j)];
                for k in 0..j {
                    sum -= lower[(i, k)] * lower[(j, k)];
                }
                lower[(i, j)] = sum / diagonal;
            }
        }
        Ok(Self { lower })
    }

    pub fn log_determinant(&self) -> f64 {
        (0..self.lower.rows).map(|i| 2.0 * self.lower[(i, i)].ln()).sum()
    }

    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let n = self.lower.rows;
        let mut x = b.to_vec();
        for i in 0..n {
            for k in 0..i {
                x[i] -= self.lower[(i, k)] * x[k];
            }
            x[i] /= self.lower[(i, i)];
        }
        for i in (0..n).rev() {
            for k in i + 1..n {
                x[i] -= self.lower[(k, i)] * x[k];
            }
            x[i] /= self.lower[(i, i)];
        }
        x
    }

    pub fn inverse(&self) -> Matrix {
        let n = self.lower.rows;
        let mut out = Matrix::zeros(n, n);
        let mut unit = vec![0.0; n];
        for j in 0..n {
            unit[j] = 1.0;
            for (i, value) in self.solve(&unit).into_iter().enumerate() {
                out[(i, j)] = value;
            }
            unit[j] = 0.0;
        }
        out.symmetrised()
    }
}

/// Eigenvalues and eigenvectors (columns) of a symmetric matrix by cyclic Jacobi rotations.
pub(crate) fn symmetric_eigen(a: &Matrix) -> (Vec<f64>, Matrix) {
    let n = a.rows;
    let mut a = a.symmetrised();
    let mut vectors = Matrix::identity(n);
    for _sweep in 0..100 {
        let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|ij| a[ij] * a[ij]).sum();
        let scale: f64 = (0..n).map(|i| a[(i, i)] * a[(i, i)]).sum();
        if off <= f64::EPSILON * f64::EPSILON * scale || off == 0.0 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                if a[(p, q)] == 0.0 {
                    continue;
                }
                let theta = (a[(q, q)] - a[(p, p)]) / (2.0 * a[(p, q)]);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let t = if theta == 0.0 { 1.0 } else { t };
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for k in 0..n {
                    let (akp, akq) = (a[(k, p)], a[(k, q)]);
                    a[(k, p)] = c * akp - s * akq;
                    a[(k, q)] = s * akp + c * akq;
                }
                for k in 0..n {
                    let (apk, aqk) = (a[(p, k)], a[(q, k)]);
                    a[(p, k)] = c * apk - s * aqk;
                    a[(q, k)] = s * apk + c * aqk;
                }
                for k in 0..n {
                    let (vkp, vkq) = (vectors[(k, p)], vectors[(k, q)]);
                    vectors[(k, p)] = c * vkp - s * vkq;
                    vectors[(k, q)] = s * vkp + c * vkq;
                }
            }
        }
    }
    ((0..n).map(|i| a[(i, i)]).collect(), vectors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Matrix {
        Matrix { rows: 3, columns: 3, data: vec![4.0, 1.0, 0.5, 1.0, 3.0, -0.2, 0.5, -0.2, 2.0] }
    }

    #[test]
    fn inverse_times_matrix_is_identity() {
        let a = example();
        let product = Cholesky::new(&a).unwrap().inverse().times(&a);
        for (got, want) in product.data.iter().zip(&Matrix::identity(3).data) {
            assert!((got - want).abs() < 1e-14);
        }
    }

    #[test]
    fn determinant_of_a_known_matrix() {
        // 4(6 − 0.04) − 1(2 + 0.1) + 0.5(−0.2 − 1.5) = 20.89
        assert!((Cholesky::new(&example()).unwrap().log_determinant() - 20.89_f64.ln()).abs() < 1e-13);
    }

    #[test]
    fn a_dependent_column_is_named() {
        let a = Matrix { rows: 2, columns: 2, data: vec![1.0, 2.0, 2.0, 4.0] };
        assert_eq!(Cholesky::new(&a).unwrap_err(), 1);
    }

    #[test]
    fn eigenvectors_rebuild_the_matrix() {
        let a = example();
        let (values, vectors) = symmetric_eigen(&a);
        let mut diagonal = Matrix::zeros(3, 3);
        for i in 0..3 {
            diagonal[(i, i)] = values[i];
        }
        let rebuilt = vectors.times(&diagonal).times(&vectors.transpose());
        for (got, want) in rebuilt.data.iter().zip(&a.data) {
            assert!((got - want).abs() < 1e-13);
        }
    }
}

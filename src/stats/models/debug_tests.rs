use super::glmm::{self, Approximation};
use super::*;
#[test]
fn debug_many() {
    let mut state = 12345_u64;
    let mut rnd = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f64 / (1u64 << 31) as f64
    };
    let mut bad = 0;
    let mut codes = std::collections::BTreeMap::new();
    for trial in 0..400 {
        let readers = 3 + (rnd() * 3.0) as usize;
        let cases = 8 + (rnd() * 7.0) as usize;
        let (mut m, mut r, mut c, mut y) = (vec![], vec![], vec![], vec![]);
        for i in 0..readers {
            for j in 0..cases {
                for a in ["unaided", "aided"] {
                    m.push(a);
                    r.push(i.to_string());
                    c.push(j.to_string());
                    y.push(rnd() < 0.65);
                }
            }
        }
        let (rf, cf) = (Factor::new(&r), Factor::new(&c));
        let of = |reference| {
            let d = Design::compare(&m, reference, &y).unwrap();
            glmm::fit(&d, &[("reader", &rf), ("case", &cf)], Approximation::Laplace, 0.95)
        };
        let (a, b) = (of("unaided"), of("aided"));
        let code = |x: &Estimable<glmm::MixedFit>| match x {
            Ok(_) => "ok",
            Err(e) => e.code,
        };
        *codes.entry((code(&a), code(&b))).or_insert(0) += 1;
        if code(&a) != code(&b) {
            bad += 1;
            if bad < 5 {
                let x = a.as_ref().or(b.as_ref()).unwrap();
                eprintln!(
                    "trial {trial} {readers}x{cases} {} {} {:?} {:?}",
                    code(&a),
                    code(&b),
                    x.random_effects,
                    x.convergence
                );
            }
        } else if let (Ok(a), Ok(b)) = (&a, &b) {
            let d = (a.coefficients[1].estimate + b.coefficients[1].estimate).abs();
            let e = (a.coefficients[1].standard_error - b.coefficients[1].standard_error).abs();
            if d > 1e-6 || e > 1e-5 {
                eprintln!("trial {trial} diff {d:e} {e:e} {:?} {:?}", a.random_effects, b.random_effects);
            }
        }
    }
    eprintln!("{codes:?}");
}

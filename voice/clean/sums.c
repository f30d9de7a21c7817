#include "sums.h"

#include <math.h>
#include <stdint.h> // says whether the library is GNU's

// Where the machine can do eight at once, it does: the loader picks. Not all can.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && __GNUC__ >= 12 && !defined(__clang__)
#define WIDE __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define WIDE
#endif

static inline struct cx times(struct cx a, struct cx b) {
	return (struct cx){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
static inline struct cx plus(struct cx a, struct cx b) { return (struct cx){a.re + b.re, a.im + b.im}; }
static inline struct cx minus(struct cx a, struct cx b) { return (struct cx){a.re - b.re, a.im - b.im}; }
static inline float power(struct cx a) { return a.re * a.re + a.im * a.im; }

// stages does two stages on what is 4·n long.
static inline void stages(struct cx *restrict x0, struct cx *restrict x1, struct cx *restrict x2, struct cx *restrict x3,
                          const struct cx *restrict r, const struct cx *restrict s, int n) {
	for (int k = 0; k < n; k++) {
		struct cx a = x0[k], b = times(r[k], x1[k]), c = x2[k], d = times(r[k], x3[k]);
		struct cx e = times(s[k], plus(c, d)), f = times(s[k], minus(c, d));
		struct cx sum = plus(a, b), apart = minus(a, b);
		x0[k] = plus(sum, e);
		x1[k] = (struct cx){apart.re + f.im, apart.im - f.re};
		x2[k] = minus(sum, e);
		x3[k] = (struct cx){apart.re - f.im, apart.im + f.re};
	}
}

// A stage alone, then two at a time, which is half the way through memory.
WIDE void butterflies(struct cx *work, const struct cx *roots, int count) {
	for (int i = 0; i < count; i += 2) {
		struct cx a = work[i], b = work[i + 1];
		work[i] = plus(a, b);
		work[i + 1] = minus(a, b);
	}
	for (int n = 2; n < count; n *= 4)
		for (struct cx *x = work; x < work + count; x += 4 * n)
			stages(x, x + n, x + 2 * n, x + 3 * n, roots + n - 2, roots + 2 * n - 2, n);
}

WIDE void believe(struct cx *restrict y, float *restrict residual, const struct cx *w, const struct cx *past, const float *wrong,
                  int now, int parts, int band) {
	for (int p = 0; p < parts; p++) {
		const struct cx *restrict way = w + p * band, *restrict x = past + (now + p) % parts * band;
		const float *restrict off = wrong + p * band;
		for (int k = 0; k < band; k++) {
			y[k] = plus(y[k], times(way[k], x[k]));
			residual[k] += off[k] * power(x[k]);
		}
	}
}

WIDE void learn(struct cx *w, float *wrong, const struct cx *past, const struct cx *restrict error, const float *restrict rate,
                int now, int parts, int band, float leaks, float kept, float share) {
	for (int p = 0; p < parts; p++) {
		struct cx *restrict way = w + p * band;
		const struct cx *restrict x = past + (now + p) % parts * band;
		float *restrict off = wrong + p * band;
		for (int k = 0; k < band; k++) {
			float gain = off[k] * rate[k];
			struct cx to = times((struct cx){gain * x[k].re, -gain * x[k].im}, error[k]);
			way[k] = (struct cx){leaks * way[k].re + to.re, leaks * way[k].im + to.im};
			float left = 1 - share * gain * power(x[k]);
			left = left > 0 ? left : 0;
			off[k] = kept * left * off[k] + (1 - kept) * power(way[k]);
		}
	}
}

WIDE void match(float *restrict like, const float *restrict a, const float *restrict b, int n, int lags) {
	double aa = 0, bb = 0;
	for (int i = 0; i < n; i++) {
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}
	for (int l = 0; l < lags; l++, b++) {
		float sums[32] = {0}, sum = 0; // side by side, as C does not add up in another order
		int i = 0;
		for (; i + 32 <= n; i += 32)
			for (int k = 0; k < 32; k++) sums[k] += a[i + k] * b[i + k];
		for (int k = 0; k < 32; k++) sum += sums[k];
		for (; i < n; i++) sum += a[i] * b[i];
		double power = aa * bb;
		like[l] = power > 0 ? sum / (float)sqrt(power) : 0;
		if (l + 1 < lags) bb += (double)b[n] * b[n] - (double)b[0] * b[0];
	}
}

"""ML-KEM-768 written out from FIPS 203. Slow, and not in constant time: for tests alone."""

import hashlib

Q, K, DU, DV = 3329, 3, 10, 4

def _reversed7(i):
    return int(f"{i:07b}"[::-1], 2)

ZETAS = [pow(17, _reversed7(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * _reversed7(i) + 1, Q) for i in range(128)]

def ntt(f):  # algorithm 9
    f, i, length = list(f), 1, 128
    while length >= 2:
        for start in range(0, 256, 2 * length):
            for j in range(start, start + length):
                t = ZETAS[i] * f[j + length] % Q
                f[j], f[j + length] = (f[j] + t) % Q, (f[j] - t) % Q
            i += 1
        length //= 2
    return f

def ntt_inverse(f):  # algorithm 10
    f, i, length = list(f), 127, 2
    while length <= 128:
        for start in range(0, 256, 2 * length):
            for j in range(start, start + length):
                t = f[j]
                f[j], f[j + length] = (t + f[j + length]) % Q, ZETAS[i] * (f[j + length] - t) % Q
            i -= 1
        length *= 2
    return [x * 3303 % Q for x in f]

def multiply(f, g):  # algorithm 11
    h = []
    for i in range(128):
        (a0, a1), (b0, b1) = f[2 * i : 2 * i + 2], g[2 * i : 2 * i + 2]
        h += [(a0 * b0 + a1 * b1 * GAMMAS[i]) % Q, (a0 * b1 + a1 * b0) % Q]
    return h

def add(f, g):
    return [(a + b) % Q for a, b in zip(f, g)]

def dot(fs, gs):
    out = [0] * 256
    for f, g in zip(fs, gs):
        out = add(out, multiply(f, g))
    return out

def encode(f, d):  # algorithm 5
    return sum(x << (d * i) for i, x in enumerate(f)).to_bytes(32 * d, "little")

def decode(b, d):  # algorithm 6
    n = int.from_bytes(b, "little")
    return [n >> (d * i) & ((1 << d) - 1) for i in range(256)]

def compress(f, d):
    return [((x << d) + Q // 2) // Q % (1 << d) for x in f]

def decompress(f, d):
    return [(x * Q + (1 << (d - 1))) >> d for x in f]

def sample_ntt(seed):  # algorithm 7
    b, f, i = hashlib.shake_128(seed).digest(1344), [], 0
    while len(f) < 256:
        d1, d2 = b[i] + 256 * (b[i + 1] % 16), b[i + 1] // 16 + 16 * b[i + 2]
        f += [d for d in (d1, d2) if d < Q]
        i += 3
    return f[:256]

def sample_cbd(seed, n):  # algorithm 8, eta = 2
    bits = int.from_bytes(hashlib.shake_256(seed + bytes([n])).digest(128), "little")
    nibbles = [bits >> (4 * i) & 15 for i in range(256)]
    return [((x & 1) + (x >> 1 & 1) - (x >> 2 & 1) - (x >> 3 & 1)) % Q for x in nibbles]

def matrix(rho):
    return [[sample_ntt(rho + bytes([j, i])) for j in range(K)] for i in range(K)]

def split(b, size):
    return [b[i : i + size] for i in range(0, len(b), size)]

def keygen(seed):  # seed: d 32 || z 32
    d, z = seed[:32], seed[32:]
    g = hashlib.sha3_512(d + bytes([K])).digest()
    rho, sigma = g[:32], g[32:]
    a = matrix(rho)
    s = [ntt(sample_cbd(sigma, n)) for n in range(K)]
    e = [ntt(sample_cbd(sigma, K + n)) for n in range(K)]
    t = [add(dot(a[i], s), e[i]) for i in range(K)]
    ek = b"".join(encode(f, 12) for f in t) + rho
    return ek, b"".join(encode(f, 12) for f in s) + ek + hashlib.sha3_256(ek).digest() + z

def _encrypt(ek, m, r):  # algorithm 14
    t, a = [decode(b, 12) for b in split(ek[: 384 * K], 384)], matrix(ek[384 * K :])
    y = [ntt(sample_cbd(r, n)) for n in range(K)]
    columns = [[a[j][i] for j in range(K)] for i in range(K)]
    u = [add(ntt_inverse(dot(columns[i], y)), sample_cbd(r, K + i)) for i in range(K)]
    v = add(add(ntt_inverse(dot(t, y)), sample_cbd(r, 2 * K)), decompress(decode(m, 1), 1))
    return b"".join(encode(compress(f, DU), DU) for f in u) + encode(compress(v, DV), DV)

def check(ek):  # section 7.2
    return len(ek) == 1184 and all(x < Q for b in split(ek[: 384 * K], 384) for x in decode(b, 12))

def encapsulate(ek, m):
    g = hashlib.sha3_512(m + hashlib.sha3_256(ek).digest()).digest()
    return g[:32], _encrypt(ek, m, g[32:])

def decapsulate(dk, ct):
    s, ek = [decode(b, 12) for b in split(dk[: 384 * K], 384)], dk[384 * K : 768 * K + 32]
    h, z = dk[768 * K + 32 : 768 * K + 64], dk[768 * K + 64 :]
    u = [ntt(decompress(decode(b, DU), DU)) for b in split(ct[: 32 * DU * K], 32 * DU)]
    v = decompress(decode(ct[32 * DU * K :], DV), DV)
    w = [(a - b) % Q for a, b in zip(v, ntt_inverse(dot(s, u)))]
    g = hashlib.sha3_512(encode(compress(w, 1), 1) + h).digest()
    if _encrypt(ek, encode(compress(w, 1), 1), g[32:]) != ct:
        return hashlib.shake_256(z + ct).digest(32)
    return g[:32]

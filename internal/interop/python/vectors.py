"""Does all the cases of docs/vectors: vectors.py FOLDER. Says how many, or fails with the first that goes wrong."""

import json
import pathlib
import sys

import sotto
from sotto import Refused

def unhex(case):
    """The case's fields, hexadecimal text made bytes."""
    if isinstance(case, dict):
        return {k: v if k == "onion" else unhex(v) for k, v in case.items()}
    if isinstance(case, list):
        return [unhex(v) for v in case]
    return bytes.fromhex(case) if isinstance(case, str) else case

def who(key):
    return {"address": key, "onion": sotto.onion(key), "x25519": sotto.x25519_form(key)}

def secrets(h, k1, k2):
    return {"h": h, "k1": k1, "k2": k2}

def chain(i):
    return sotto.Chain(i["secrets"]["h"], i["secrets"]["k1"], i["secrets"]["k2"])

def do_key(i, out):
    out.update(who(sotto.secret(i["expanded"])[1]))

def do_address(i, out):
    out.update(who(sotto.parse_onion(i["onion"])))

def do_point(i, out):
    out.update(who(sotto.check_address(i["point"])))

def do_callee(i, out):
    callee = sotto.Callee(i["expanded"], i["offer"], i["ephemeral"], i["encapsulation"])
    callee.m1(i["m1"])
    out.update(m2=callee.m2(), choice=list(callee.choice))
    caller, call_id, paths, found = callee.m3(i["m3"])
    out.update(caller=caller, call_id=call_id, paths=paths, secrets=secrets(*found))

def do_caller(i, out):
    callee = sotto.check_address(i["callee"])
    caller = sotto.Caller(i["expanded"], callee, i["offer"], i["kem_seed"], i["ephemeral"])
    out["m1"] = caller.m1()
    choice = caller.m2(i["m2"])
    m3, found = caller.m3(i["call_id"], i["paths"])
    out.update(choice=list(choice), m3=m3, secrets=secrets(*found))

def do_chain(i, out):
    c = chain(i)
    paths = [c.take() for _ in range(4)]
    out["links"] = [{"tag": p.tag, "jc": p.jc, "js": p.js} for p in paths]
    out["kc"], out["ks"] = paths[0].record_keys()

def do_join(i, out):
    c = chain(i)
    c.take()  # path 0
    for n in i.get("burned", []):
        c.extend()
        c.burn(next(p for p in c.live.values() if p.number == n))
    path = c.find(i["block"][:16])
    nc = path.open_join(i["block"])
    kc, ks = path.record_keys(nc + i["ns"])
    out.update(number=path.number, nc=nc, block=path.answer(i["block"], i["ns"]), kc=kc, ks=ks)

def do_answer(i, out):
    c = chain(i)
    path = [c.take() for _ in range(i["number"] + 1)][-1]
    join = path.join(i["nc"])
    ns = path.open_answer(join, i["block"])
    kc, ks = path.record_keys(i["nc"] + ns)
    out.update(block=join, ns=ns, kc=kc, ks=ks)

def do_record(i, out):
    opener, sealer = sotto.Lane(i["key"]), sotto.Lane(i["key"])
    for _ in range(i.get("before", 0)):
        opener.open(sealer.seal(bytes(452)))
    for block in i["blocks"]:
        plain = opener.open(block)
        out.setdefault("plains", []).append(plain)
        tick, newest, frames, reports, piece = sotto.get_record(plain, i.get("profile", 0))
        reports = [list(r) for r in reports]
        said = {"tick": tick, "newest": newest, "frames": frames, "reports": reports, "control": piece}
        out.setdefault("contents", []).append(said)

def do_control(i, out):
    control = sotto.Control()
    for piece in i["pieces"]:
        for kind, body in control.take(piece):
            out.setdefault("messages", []).append({"kind": kind, "body": body})

def main():
    files = sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
    for file in files:
        case, out, stage = json.loads(file.read_text()), {}, "ok"
        case["in"], case["out"] = unhex(case["in"]), unhex(case["out"])
        try:
            globals()["do_" + case["kind"]](case["in"], out)
        except Refused as e:
            stage = e.stage
        if stage != case["stage"] or out != case["out"]:
            sys.exit(f"{file.name}: ends at {stage!r}, gives {out}\nand not {case['stage']!r}, {case['out']}")
    print(len(files))

main()

package trace

// TorModel is a model of Tor's circuits, fitted to 92 traces of real calls over
// three-hop circuits (tor 0.4.8, 2026, five city pairs, 30 s each), 44 of the
// recordings with both directions. How well: docs/traces.md.
//
// Measured directly: 70 % of the stalls over 0.4 s, and 80 % of those over
// 0.7 s, stop both directions; a second's delay (its logarithm) correlates with
// the next second's by 0.45, median over traces, which half a minute
// underestimates, and with the other direction's by 0.66. All else was fitted
// by random search until the quantiles over traces of [Summary] were close.
// Single figures have no meaning beyond that: a higher Level with a narrower
// Spread, say, would do nearly as well.
func TorModel() Model {
	return Model{
		Level: Lot{170, 0.6}, LevelAlike: 0.97,
		Wander: Lot{0.25, 0.2}, WanderMemory: 0.6, WanderAlike: 0.6,
		Gate: Lot{49, 0.55}, GateAlike: 0.5, GateShape: Lot{1.8, 1.1}, GateClock: 0.7,
		Stalls: Lot{2, 1.4}, Stall: Lot{340, 1.35}, StallShared: 0.75,
		Drain: Lot{0.13, 1.4},
	}
}

// Modelled summarises 1000 recordings by [TorModel], to be held against
// measured ones with [Compare].
func Modelled() Summary { return Summarise(TorModel().Recordings(1, 1000)) }

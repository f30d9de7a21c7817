package jitter

import "time"

// The prices, in points of the E-model's rating R (ITU-T G.107, for wideband
// G.107.1), of which a hundred are perfect and five are heard.
//
// Delay, for a one-way delay of Ta ms (Cole and Rosenbluth, "Voice over IP
// performance monitoring", 2001, a fit to G.107's Idd):
//
//	Id = 0.024·Ta + 0.11·max(0, Ta − 177.3)
//
// G.107 itself grows less from about 300 ms on, when a conversation is bad
// anyway; that would make a second of delay look cheap.
//
// Missing sound, for a share of Ppl percent (G.113, G.107):
//
//	Ie,eff = Ie + (95 − Ie)·Ppl / (Ppl/BurstR + Bpl)
//
// with Ie = 18.1 and Bpl = 18.7 of Opus at 15 kb/s, wideband scale (Al-Ahmadi
// and others, ACM TOMM). A stall misses tens of frames in a row, so BurstR is
// large and the share counts in proportion: 4.1 points a percent, which we weigh
// 1.34 times (docs/playout.md). One percent missing is as bad as 40 ms of delay.
const (
	perMS        = 0.024
	perMSBeyond  = 0.11
	knee         = 177.3
	circuit      = 150.0 // ms: the least delay of circuit, frame and devices
	equipment    = 18.1
	robustness   = 18.7
	missingPrice = weight * 100 * (95 - equipment) / robustness // for a share of 1
	weight       = 1.34
	binMS        = float64(binTime / time.Millisecond)
)

// delayPrice is what a target of that many bins costs.
var delayPrice = func() (price [bins]float64) {
	for i := range price {
		ta := circuit + float64(i+1)*binMS
		price[i] = perMS*ta + perMSBeyond*max(0, ta-knee)
	}
	return price
}()

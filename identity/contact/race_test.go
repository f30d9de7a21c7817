//go:build race

package contact_test

const raceDetector = true

// contacts is how many a large book of the tests has.
const contacts = 1_000 // the detector slows making their keys

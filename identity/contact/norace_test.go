//go:build !race

package contact_test

const raceDetector = false

// contacts is how many a large book of the tests has.
const contacts = 10_000

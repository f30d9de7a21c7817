package config

// nearest is the name that somebody may have meant, "" if none is near: at most
// a third of its letters, and one at least, are wrong.
func nearest(text string, names []string) string {
	if len(text) > 64 {
		return ""
	}
	best, least := "", 0
	for _, name := range names {
		d := distance(text, name)
		if d <= max(1, len(name)/3) && (best == "" || d < least) {
			best, least = name, d
		}
	}
	return best
}

// distance is Levenshtein's: bytes to put in, take out or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

package cli

import "testing"

// Commands that somebody is told to give are given the profile; those that only
// say who does something are not.
func TestCommandsAreAimed(t *testing.T) {
	for text, want := range map[string]string{
		"no identity yet: make one with sotto id":                         "no identity yet: make one with sotto --home d id",
		"no phone is up here: sotto up starts one":                        "no phone is up here: sotto --home d up starts one",
		"sotto bridges set gives others, or sotto bridges clear":          "sotto --home d bridges set gives others, or sotto --home d bridges clear",
		"(sotto contacts verify)":                                         "(sotto --home d contacts verify)",
		"--in: sotto up runs, and has its own sound":                      "--in: sotto up runs, and has its own sound",
		"in use by sotto id seal (process 12): see sotto status":          "in use by sotto id seal (process 12): see sotto --home d status",
		"in use by sotto log --forget (process 12)":                       "in use by sotto log --forget (process 12)",
		"open /home/a/sotto up/x: no such file":                           "open /home/a/sotto up/x: no such file",
		"sotto silent is on or off":                                       "sotto silent is on or off",
		"sotto id export wants a file":                                    "sotto id export wants a file",
		"sotto contacts takes no \"x\"":                                   "sotto contacts takes no \"x\"",
		"there is no sotto contacts ad: did you mean sotto contacts add?": "there is no sotto contacts ad: did you mean sotto --home d contacts add?",
		"sotto contacts add NAME takes a card":                            "sotto --home d contacts add NAME takes a card",
		"see sotto devices; sotto config list; sotto identity; sotto":     "see sotto devices; sotto config list; sotto identity; sotto",
	} {
		if got := aimAt("d", text); got != want {
			t.Errorf("%q, not %q", got, want)
		}
		if got := aimAt("", text); got != text {
			t.Errorf("nothing is named: %q", got)
		}
	}
	if got := aimAt("/a b/ann's", "sotto id"); got != `sotto --home '/a b/ann'\''s' id` {
		t.Error(got)
	}
}

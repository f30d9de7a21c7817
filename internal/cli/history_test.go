package cli

import "testing"

// A phone keeps no history by default, and one that is asked for by setting or
// flag.
func TestAHistoryIsKeptWhereItIsWanted(t *testing.T) {
	t.Setenv(settingsFolder, t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	p := household(t, nil)
	for _, name := range []string{"up", "call"} {
		for _, c := range []struct {
			env  string
			args []string
			want bool
		}{{"", nil, false}, {"true", nil, true}, {"", []string{"--history"}, true}, {"true", []string{"--history=false"}, false}} {
			t.Setenv("SOTTO_HISTORY", c.env)
			o := &options{}
			command := newCall(o)
			if name == "up" {
				command = (&upCommand{options: o}).command()
			}
			root := newRoot()
			root.AddCommand(command)
			if err := command.ParseFlags(c.args); err != nil {
				t.Fatal(err)
			}
			if err := o.configure(command); err != nil {
				t.Fatal(err)
			}
			if kept := (&station{options: o}).keeper(p) != nil; kept != c.want {
				t.Errorf("%s %v with %q: kept is %v", name, c.args, c.env, kept)
			}
		}
	}
}

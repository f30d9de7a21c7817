package oniontest_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// yamlLine is a line with something on it; indent counts its leading spaces.
type yamlLine struct {
	indent int
	text   string
}

// parseYAML reads the little of YAML that the profiles are written in: lists,
// mappings with plain keys, and texts in single quotes, nested by spaces. All
// else is an error.
func parseYAML(document string) (any, error) {
	var lines []yamlLine
	for line := range strings.Lines(document) {
		line = strings.TrimRight(line, "\n")
		text := strings.TrimLeft(line, " ")
		if text == "" || text == "---" || strings.HasPrefix(text, "#") {
			continue
		}
		if strings.ContainsAny(line, "\t\r") {
			return nil, fmt.Errorf("a tab or a carriage return in %q", line)
		}
		lines = append(lines, yamlLine{len(line) - len(text), text})
	}
	value, rest, err := yamlValue(lines)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%q is indented as nothing before it", rest[0].text)
	}
	return value, err
}

var yamlPair = regexp.MustCompile(`^([A-Za-z_-]+):(?: +('.*'))?$`)

// yamlValue reads one value: all lines that are indented as the first, or more.
func yamlValue(lines []yamlLine) (value any, rest []yamlLine, err error) {
	if len(lines) == 0 {
		return nil, nil, nil
	}
	indent := lines[0].indent
	var list []any
	mapping := map[string]any{}
	for len(lines) > 0 && lines[0].indent == indent {
		item, isItem := strings.CutPrefix(lines[0].text, "- ")
		if isItem != (list != nil) && (list != nil || len(mapping) > 0) {
			return nil, nil, fmt.Errorf("a list and a mapping in one: %q", lines[0].text)
		}
		if isItem && item[0] == '\'' {
			text, err := yamlText(item)
			if err != nil {
				return nil, nil, err
			}
			list, lines = append(list, text), lines[1:]
			continue
		}
		if isItem { // a mapping that begins on the item's own line
			lines[0] = yamlLine{indent + 2, item}
			var inner any
			if inner, lines, err = yamlValue(lines); err != nil {
				return nil, nil, err
			}
			list = append(list, inner)
			continue
		}
		pair := yamlPair.FindStringSubmatch(lines[0].text)
		if pair == nil {
			return nil, nil, fmt.Errorf("not understood: %q", lines[0].text)
		}
		if _, twice := mapping[pair[1]]; twice {
			return nil, nil, fmt.Errorf("%q twice", pair[1])
		}
		lines = lines[1:]
		mapping[pair[1]] = nil
		switch {
		case pair[2] != "":
			mapping[pair[1]], err = yamlText(pair[2])
		case len(lines) > 0 && lines[0].indent > indent:
			mapping[pair[1]], lines, err = yamlValue(lines)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if list != nil {
		return list, lines, nil
	}
	return mapping, lines, nil
}

// yamlText reads a text in single quotes, in which two are one.
func yamlText(quoted string) (string, error) {
	inner := strings.TrimSuffix(strings.TrimPrefix(quoted, "'"), "'")
	if len(quoted) != len(inner)+2 || strings.Contains(strings.ReplaceAll(inner, "''", ""), "'") {
		return "", fmt.Errorf("not a text in single quotes: %q", quoted)
	}
	return strings.ReplaceAll(inner, "''", "'"), nil
}

func TestYAMLIsReadStrictly(t *testing.T) {
	got, err := parseYAML("# x\n---\n- a:\n    - 'it''s'\n    - b: ''\n      c: 'd'\n  e:\n- 'f'\n")
	if want := "[map[a:[it's map[b: c:d]] e:<nil>] f]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v, %v, want %s", got, err, want)
	}
	for _, bad := range []string{"a: b", "a: 'b", "a: 'b'c'", "a:\n\t- 'b'", "- 'a'\nb:", "a:\n- b", "a: 'x'\na: 'y'", "  a:\nb:", "- |"} {
		if got, err := parseYAML(bad); err == nil {
			t.Errorf("%q was read as %v", bad, got)
		}
	}
}

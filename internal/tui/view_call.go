package tui

import (
	"fmt"
	"strings"

	"github.com/sottovoce/sotto/internal/api"
)

// viewOthers tells of the calls that are not shown: first of one that wants to
// be answered.
func (m *Model) viewOthers(shown *talk) []block {
	var lines []string
	ringing := m.asking()
	for _, c := range m.calls {
		if c == shown {
			continue
		}
		name := who(c.Name)
		if c.Name != "" {
			name += " (" + certain(c.Name, c.Verified) + ")"
		}
		if c != ringing {
			lines = append(lines, " "+m.look.dim.Render("also "+name+", "+m.phaseWords(c)))
			continue
		}
		how := "y answers, n declines"
		if m.writing != nothing || m.doubt != none {
			how = "Esc, then y answers, n declines"
		} else if shown.Phase == api.Talking {
			how = "y answers, this call is held; n declines"
		} else if shown.Outgoing {
			how = "y answers, this call is given up; n declines"
		}
		lines = append(lines, m.look.chosen.Render(cut(" "+name+" calls you: "+how+" ", m.width)))
	}
	if lines == nil {
		return nil
	}
	return []block{{lines: lines}, gap()}
}

// phaseWords say where a call stands, and since when.
func (m *Model) phaseWords(c *talk) string {
	since := clock(m.now.Sub(c.since))
	switch c.Phase {
	case api.Dialing:
		return "being reached … " + since
	case api.Ringing:
		return "ringing … " + since
	case api.Talking:
		words := "talking " + clock(milliseconds(c.TalkedMS))
		if c.Holding || c.Held {
			words = "on hold " + clock(milliseconds(c.TalkedMS))
		}
		return words
	}
	return "hanging up"
}

// viewIncoming is the page of a call that rings here: who proves to be there.
func (m *Model) viewIncoming(c *talk) []block {
	head := m.look.title.Render(capital(who(c.Name))+" is calling") + "  " + m.look.dim.Render(clock(m.now.Sub(c.since)))
	if c.Name != "" && m.width < 40 { // the explanation may have no room; what it is about has
		head = sides(m.look.title.Render(c.Name+" calls"), certain(c.Name, c.Verified)+" ", m.width-1)
	}
	about, style := "✓ verified: you have compared the twelve words of this address.", m.look.good
	switch {
	case c.Name == "":
		about, style = "This address is not in your contacts. Whoever calls has its key; who that is nobody here can say.", m.look.fair
	case !c.Verified:
		about, style = m.aim("Not verified: the address is the one in your contacts, but its twelve words were never compared (sotto contacts verify)."), m.look.fair
	}
	var lines []string
	for _, l := range m.paragraph(about) {
		lines = append(lines, style.Render(l))
	}
	return []block{
		{lines: []string{" " + head}},
		gap(),
		{rank: figures, lines: lines},
		gap(),
		{rank: state, whole: true, lines: m.viewWhole(c.Peer)},
		gap(),
		{rank: meters, lines: m.paragraph("y answers, n declines. Your microphone stays closed until you answer.")},
	}
}

// viewWhole is an address to be read and compared: four groups a line.
func (m *Model) viewWhole(addr string) []string {
	words := strings.Fields(groups(addr))
	perLine := max(1, min(4, (m.width-4)/8))
	var lines []string
	for len(words) > 0 {
		n := min(perLine, len(words))
		lines = append(lines, "   "+strings.Join(words[:n], " "))
		words = words[n:]
	}
	if n := len(lines); n > 0 && strings.HasSuffix(addr, ".onion") && width(lines[n-1])+7 <= m.width {
		lines[n-1] += m.look.dim.Render(" .onion")
	}
	return lines
}

// viewCall is the page of a call that was made or answered.
func (m *Model) viewCall(c *talk) []block {
	l := &m.look
	style := l.fair
	if c.Name != "" && c.Verified {
		style = l.good
	}
	mark := style.Render(certain(c.Name, c.Verified))
	if c.OneTime {
		mark += l.dim.Render(" · you call with a one-time identity")
	}
	blocks := []block{
		{lines: []string{sides(" "+l.title.Render(who(c.Name))+"  "+mark, l.title.Render(m.phaseWords(c))+" ", m.width)}},
		{rank: address, whole: true, lines: m.viewAddress(c.Peer, "")},
		gap(),
	}
	switch c.Phase {
	case api.Dialing:
		blocks = append(blocks, block{rank: state, lines: m.paragraph("The other side is being reached over Tor; this can take half a minute. Your microphone stays closed until they answer.")})
	case api.Ringing:
		blocks = append(blocks, block{rank: state, lines: m.paragraph("It rings there. Your microphone stays closed until they answer.")})
	case api.Talking:
		if lines := m.viewState(c); lines != nil {
			blocks = append(blocks, block{rank: state, lines: lines}, gap())
		}
		blocks = append(blocks, m.viewSound(c)...)
	}
	if len(c.Paths) > 0 {
		blocks = append(blocks, gap(), block{rank: circuits, lines: m.viewCircuits(c)})
	}
	if lines := m.viewTexts(c); lines != nil {
		newest := max(0, len(lines)-chatKept)
		blocks = append(blocks, gap(), block{rank: talkRank, log: true, lines: lines[:newest]}, block{rank: written, log: true, lines: lines[newest:]})
	}
	return blocks
}

// viewState is what has to be known besides figures.
func (m *Model) viewState(c *talk) (lines []string) {
	for _, text := range alerts(&c.Call) {
		lines = append(lines, m.look.bad.Render(cut(" ● "+text, m.width)))
	}
	switch {
	case c.push && c.speak:
		lines = append(lines, m.look.bad.Render(" ● you speak")+m.look.dim.Render(", push-to-talk"))
	case c.push && !c.Muted && !c.Holding: // by another terminal, or not yet muted
		lines = append(lines, m.look.bad.Render(" ● your microphone is open")+m.look.dim.Render(", m closes it and ends push-to-talk"))
	case c.push && m.releases:
		lines = append(lines, m.look.accent.Render(" push-to-talk: hold Space and speak"))
	case c.push:
		lines = append(lines, m.look.accent.Render(" push-to-talk: Space, then speak; Space again when you are done"))
	case c.Muted:
		lines = append(lines, m.look.bad.Render(" ● muted: nothing of you is sent, m ends that"))
	case max(c.DelayMS, c.ThereMS) > delayed:
		lines = append(lines, m.look.fair.Render(fmt.Sprintf(" %d ms late, people speak at once: p turns on push-to-talk", max(c.DelayMS, c.ThereMS))))
	}
	return lines
}

// viewSound are meters and figures, side by side where there is room.
func (m *Model) viewSound(c *talk) []block {
	l := &m.look
	short := c.Name
	if short == "" {
		short = "they"
	}
	const room, label = 20, 10
	meter := func(name string, level float64) string {
		full, rest := bar(loudness(level), min(room, max(4, m.width-label-12)))
		db := "silent"
		if level > -100 {
			db = fmt.Sprintf("%.0f dB", level)
		}
		return " " + pad(name, label-1) + l.good.Render(full) + l.dim.Render(rest) + " " + pad(db, 7)
	}
	you := c.YouDB
	if c.Muted || c.Holding || c.Held { // none of it is sent, or heard
		you = -120
	}
	ears := []string{meter("you", you), meter(short, c.ThemDB)}
	delay, quality := "not known yet", l.dim.Render("not known yet")
	if c.DelayMS > 0 {
		delay = fmt.Sprintf("%d ms", c.DelayMS)
		if c.ThereMS > 0 && m.width >= 70 {
			delay += fmt.Sprintf(", there %d", c.ThereMS)
		}
	}
	if c.Quality.Word != "" {
		quality = l.quality(c.Quality.Word).Render(clean(c.Quality.Word)) + fmt.Sprintf(" %.0f of 100", c.Quality.R)
		if m.width >= 70 && c.Voice != "" {
			quality += l.dim.Render("  voice " + clean(c.Voice))
		}
	}
	trip := ""
	if c.RoundTripMS > 0 {
		trip = l.dim.Render(fmt.Sprintf("  round trip %d ms", c.RoundTripMS))
	}
	if m.width < 70 {
		return []block{
			{rank: meters, lines: ears},
			{rank: figures, lines: []string{
				" quality " + quality + l.dim.Render("  delay ") + delay,
				l.dim.Render(" concealed ") + fmt.Sprintf("%.1f %%", c.ConcealedPC) + trip,
			}},
		}
	}
	return []block{
		{rank: figures, lines: []string{
			pad(ears[0], 42) + l.dim.Render("quality    ") + quality,
			pad(ears[1], 42) + l.dim.Render("delay      ") + delay,
			pad("", 42) + l.dim.Render("concealed  ") + fmt.Sprintf("%.1f %%", c.ConcealedPC) + trip,
		}},
	}
}

// viewCircuits is a line for each circuit of a call.
func (m *Model) viewCircuits(c *talk) []string {
	l := &m.look
	n := max(5, min(span, m.width-24))
	lines := []string{" " + l.title.Render("Circuits") + l.dim.Render(fmt.Sprintf("  how late, over %d s", n))}
	now := c.at.Unix()
	for _, p := range c.Paths {
		used := "  "
		style := l.dim
		if p.Used {
			used, style = "● ", l.accent
		}
		lines = append(lines, fmt.Sprintf(" %s%3d  %s %5d ms", style.Render(used), p.ID, style.Render(spark(c.lateness(p.ID), now, n)), p.LatenessMS))
	}
	return lines
}

// chatKept lines of the chat stay before figures and notices.
const chatKept = 2

// viewTexts is what was written, the newest last.
func (m *Model) viewTexts(c *talk) (lines []string) {
	const indent = 7
	for _, t := range c.texts[max(0, len(c.texts)-m.height):] {
		name, style := who(c.Name), m.look.key
		if t.Mine {
			name, style = "you", m.look.dim
		}
		name = cut(name, max(4, m.width/4))
		for i, text := range wrap(name+": "+t.Text, m.width-indent-1) {
			at := strings.Repeat(" ", indent)
			if i == 0 {
				at = m.look.dim.Render(" " + t.At.In(m.zone).Format("15:04") + " ")
				if rest, ok := strings.CutPrefix(text, name+":"); ok {
					text = style.Render(name+":") + rest
				}
			}
			lines = append(lines, at+text)
		}
	}
	return lines[max(0, len(lines)-m.height):]
}

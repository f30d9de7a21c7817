#!/bin/sh
# install.sh BINARY puts sotto and what goes with it under $DESTDIR$PREFIX.
# It asks the program itself for its manual pages and completions.
set -eu
umask 022
here=$(dirname "$0")
sotto=$1
share=$DESTDIR$PREFIX/share
[ -x "$sotto" ] || {
	echo "install: there is no $sotto yet: run make first" >&2
	exit 1
}

# put SOURCE TARGET copies a file that has to know where the program is.
put() {
	mkdir -p "$(dirname "$2")"
	sed "s|@BIN@|$PREFIX/bin|g" "$here/$1" >"$2"
	chmod 644 "$2"
}

# completion SHELL TARGET
completion() {
	mkdir -p "$(dirname "$2")"
	"$sotto" completion "$1" >"$2"
	chmod 644 "$2"
}

install -D -m 755 "$sotto" "$DESTDIR$PREFIX/bin/sotto"
install -D -m 644 "$here/../../LICENSE" "$share/doc/sotto/LICENSE"
"$sotto" man "$share/man/man1"
completion bash "$share/bash-completion/completions/sotto"
completion zsh "$share/zsh/$ZSH_FOLDER/_sotto"
completion fish "$share/fish/vendor_completions.d/sotto.fish"
put sotto.desktop "$share/applications/sotto.desktop"
put sotto.service "$DESTDIR$PREFIX/lib/systemd/user/sotto.service"
put apparmor "$DESTDIR/etc/apparmor.d/usr.bin.sotto"

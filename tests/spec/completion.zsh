# completion.zsh: what zsh offers where Tab is pressed, one a line: zsh -f completion.zsh FOLDER LINE.
# FOLDER holds _tidemill.  A second zsh on a terminal of its own completes, and tells what is added.
# SPDX-License-Identifier: MIT
zmodload zsh/zpty || exit 77

zpty z zsh -f -i
setup=$(mktemp)
cat >$setup <<END
PROMPT=
fpath=($1 \$fpath)
autoload -Uz compinit; compinit -u -D
bindkey '^I' complete-word
zstyle ':completion:*' insert-tab false
comppostfuncs=(finish)
finish() { print -r -- "<end>"; exit }
compadd() {
  local -a found
  local option
  for option in "\$@"; do
    [[ \$option == -[OAD] ]] && { builtin compadd "\$@"; return }
  done
  builtin compadd -O found "\$@"
  (( \$#found )) && print -rl -- "<offer>"\$^found
  builtin compadd "\$@"
}
END
zpty -w z "source $setup; rm $setup; print ready"
while zpty -r z line && [[ $line != *ready* || $line == *print* ]]; do :; done
zpty -w -n z "$2"$'\t'
while zpty -r z line; do
  [[ $line == *'<end>'* ]] && break
  [[ $line == *'<offer>'* ]] && print -r -- ${${line##*<offer>}%%$'\r'*}
done
zpty -d z

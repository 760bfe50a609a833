#!/bin/sh
# The whole line on a laptop: a sample corpus, all stages built and proved, and each trained from the ones before.
set -eu
BIN=${BIN:-.venv/bin}
OUT=${OUT:-vita-demo}
STEPS=${STEPS:-} # empty: all of each stage

say() { printf '\n== %s\n' "$*"; }

stages="1.1 1.2 1.3"
if command -v espeak-ng >/dev/null 2>&1; then
    stages="$stages 2.1 2.2 3.1 3.2"
else
    echo "espeak-ng is not installed, so the stages of speech are left out; apt-get install espeak-ng brings them" >&2
fi

for stage in $stages; do
    say "stage $stage: build"
    "$BIN/vita-data" build --stage "$stage" --mixture sample --out "$OUT"
    say "stage $stage: proof"
    "$BIN/vita-data" prove "$OUT/stages/$stage"
done

before=
trained="1.1 1.2 1.3"
case "$stages" in *2.2*) trained="$trained 2.1 2.2" ;; esac
for stage in $trained; do
    say "stage $stage: training${before:+ from stage $before}"
    rm -rf "$OUT/runs/$stage"
    "$BIN/vita-model" train --stage "$stage" --data "$OUT" --preset tiny --out "$OUT/runs/$stage" \
        ${before:+--init "$OUT/runs/$before"} ${STEPS:+--max-steps "$STEPS"}
    before=$stage
    [ "$stage" != 2.1 ] || before=2.1/b # the second of its halves
done

if [ "$trained" != "1.1 1.2 1.3" ]; then
    say "stages 3.1 and 3.2: a codec, its tokens, and the speech decoder"
    rm -rf "$OUT/runs/3.1" "$OUT/runs/3.2"
    # All of the codec's training takes a quarter of an hour on two cores.
    "$BIN/vita-model" train --stage 3.1 --data "$OUT" --preset tiny --out "$OUT/runs/3.1" --max-steps 10
    "$BIN/vita-model" encode --codec "$OUT/runs/3.1" --data "$OUT/stages/3.2"
    "$BIN/vita-model" train --stage 3.2 --data "$OUT" --preset tiny --out "$OUT/runs/3.2" \
        --init "$OUT/runs/2.2" --init "$OUT/runs/3.1"
    trained="$trained 3.1 3.2"
fi

say "done"
for stage in $trained; do
    echo "stage $stage: report $OUT/stages/$stage/report.html, checkpoints $OUT/runs/$stage/checkpoints"
done

local pick = {}
return pick

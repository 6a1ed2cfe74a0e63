import declaredAccess from './declared-access.mjs';

/** Roost's own rules, as oxlint loads them (`.oxlintrc.json`). */
export default { meta: { name: 'roost' }, rules: { 'declared-access': declaredAccess } };

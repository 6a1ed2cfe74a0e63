/** Whether an answer is what a question asks for, and how texts become answers. Pure. */
export { answerProblem } from './answer-problem.js';
export { answerOf } from './answer-of.js';
export { optionsOf, type QuestionOption } from './options.js';
export { readQuestion } from './read-question.js';

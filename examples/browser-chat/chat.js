// With a bundler: import { Roost } from '@roost-ai/sdk'
import { Roost } from './sdk.js';

// The server behind this page knows whose agent "me" is, and adds the key.
const agent = new Roost({ url: `${location.origin}/roost` }).agent('me');
const log = document.querySelector('#log');
const form = document.querySelector('form');

/** A line of the conversation; `textContent` shows what an agent writes and never runs it. */
function addLine(kind, text = '') {
  const line = document.createElement('p');
  line.className = kind;
  line.textContent = text;
  log.append(line);
  line.scrollIntoView();
  return line;
}

async function ask(text) {
  addLine('user', text);
  const answer = addLine('assistant');
  for await (const event of agent.stream(text)) {
    if (event.type === 'text.delta') answer.textContent += event.data.text;
    if (event.type === 'tool.call') answer.before(addLine('tool', event.data.tool.name));
    // It begins anew after a failure: what was written so far does not count.
    if (event.type === 'turn.restarted') answer.textContent = '';
    if (event.type === 'message.failed') answer.textContent = event.data.error.message;
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = form.elements.text.value.trim();
  if (text === '') return;
  form.reset();
  form.elements.send.disabled = true;
  try {
    await ask(text);
  } catch (error) {
    addLine('error', error.message);
  } finally {
    form.elements.send.disabled = false;
  }
});

const earlier = await agent.messages.list().toArray(20);
for (const { role, content } of earlier.reverse()) addLine(role, content);

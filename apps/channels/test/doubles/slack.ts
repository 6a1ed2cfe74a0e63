import { type ShownInSlack, SlackPlatform, until } from '#lib/testing';
import { visibleInSlack } from '../../src/slack/slack-mrkdwn.js';
import type { PlatformDouble, ShownCard } from './platform-double.js';

/** Until the process that takes events runs again. */
const REPEATED = { timeoutMs: 120_000, everyMs: 300 };

/** By Socket Mode; with the address of the bot's events by signed posts to it, as Slack makes them without Socket Mode. */
export async function slackDouble(eventsUrl?: () => string): Promise<PlatformDouble> {
  const slack = await SlackPlatform.start();
  const app = slack.addApp();
  const { botToken, appToken, signingSecret } = app;
  const send = async (type: 'events_api' | 'interactive', payload: Record<string, unknown>) => {
    if (!eventsUrl) return void slack.sockets.send(appToken, type, payload);
    const isTaken = () => slack.post(app, eventsUrl(), payload).then(({ ok }) => ok);
    // Slack repeats an event that is not taken. Of a press it shows a warning: whoever pressed may do it again.
    if (type === 'events_api') await until('Slack is answered', () => isTaken().catch(() => false), REPEATED);
    else if (!(await isTaken())) throw new Error('the press was not taken');
  };
  const cardsOf = (shown: ShownInSlack[]): ShownCard[] =>
    shown.flatMap(({ text, blocks, edits }) => {
      const elements = blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
      const buttons = Object.fromEntries(elements.map(({ text: label, value = '' }) => [label.text, value]));
      return text === '' ? [] : [{ text: visibleInSlack(text), buttons, edits }];
    });
  const cards = (person: number) => cardsOf(slack.shownIn(slack.directChannel(`U${person}`)));
  // What begins with a slash is a command of Slack's own client.
  const typed = (text: string) => text.replace(/^\//, '!');
  return {
    platform: 'slack',
    variables: { SLACK_API_BASE_URL: slack.url },
    bot: { slackBotToken: { botToken, appToken, signingSecret } },
    sharedBot: {
      ...{ SLACK_BOT_TOKEN: botToken, SLACK_SIGNING_SECRET: signingSecret },
      ...(eventsUrl ? {} : { SLACK_APP_TOKEN: appToken }),
    },
    say(person, text) {
      const event = slack.message(`U${person}`, typed(text));
      const deliver = () => send('events_api', event);
      return deliver().then(() => deliver);
    },
    garble: (person) => {
      const { event, ...rest } = slack.message(`U${person}`, 'not as documented');
      return send('events_api', { ...rest, event: { ...(event as object), files: [{ name: 7 }] } });
    },
    shown: (person) => slack.shownIn(slack.directChannel(`U${person}`)).map(({ text }) => text),
    lastCard: (person) => cards(person).at(-1),
    cards,
    files: (person) =>
      slack
        .shownIn(slack.directChannel(`U${person}`))
        .flatMap(({ file }) => (file ? [{ name: file.name, text: file.bytes.toString() }] : [])),
    press(owner, carried, presser = owner) {
      const last = slack.shownIn(slack.directChannel(`U${owner}`)).findLast(({ text }) => text !== '');
      if (!last) throw new Error('there is no card');
      const payload = slack.press(`U${presser}`, last, carried);
      const again = () => send('interactive', payload);
      const answers = () => slack.responses.flatMap(({ url, text }) => (url === payload.response_url ? [text] : []));
      return again().then(() => ({ again, answers }));
    },
    visible: visibleInSlack,
    dropSockets: () => slack.sockets.drop(appToken),
    failEdits: (times) => void (slack.faults['chat.update'] = Array.from({ length: times }, () => ({ status: 503 }))),
    failNextSend: () => void (slack.faults['chat.postMessage'] = [{ status: 503 }]),
    limitNextSend() {
      slack.faults['chat.postMessage'] = [{ retryAfter: 3_600 }];
      return () => undefined;
    },
    sends: () => slack.calls['chat.postMessage'] ?? 0,
    limitNextEdit: () => void (slack.faults['chat.update'] = [{ retryAfter: 3_600 }]),
    edits: () => slack.calls['chat.update'] ?? 0,
    block(person) {
      slack.history.refusing.set(slack.directChannel(`U${person}`), 'is_archived');
      return () => slack.history.refusing.delete(slack.directChannel(`U${person}`));
    },
    deleteLast(person) {
      const last = slack.history.messages.findLastIndex(({ channel }) => channel === slack.directChannel(`U${person}`));
      slack.history.messages.splice(last, 1);
    },
    thread(person, question) {
      const ts = slack.history.nextTs();
      const more = { channel: 'C77', thread_ts: ts };
      const event = slack.message(`U${person}`, `<@${app.botUser}> ${question}`, more);
      slack.sockets.send(appToken, 'events_api', event);
      const reply = (who: number, text: string) =>
        send('events_api', slack.message(`U${who}`, text, { ...more, parent_user_id: `U${person}` }));
      return Promise.resolve({
        delete: () => Promise.resolve(void slack.history.deletedThreads.add(`C77/${ts}`)),
        shownAbove: () => slack.shownIn('C77').flatMap(({ thread, text }) => (thread === undefined ? [text] : [])),
        say: (who, text) => reply(who, typed(text)),
        answer: (who, text) => reply(who, `<@${app.botUser}> ${text}`),
        cards: () => cardsOf(slack.shownIn('C77').filter(({ thread }) => thread === ts)),
      });
    },
    revoke: () => slack.revoke(app),
    stop: () => slack.stop(),
  };
}

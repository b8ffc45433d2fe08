import { Avatar, GroupAvatar } from '~/ui/Avatar';
import { Badge, Tag } from '~/ui/Badge';
import { FileDrop } from '~/ui/FileDrop';
import { Marks } from '~/ui/Marks';
import { PosterPreview } from '~/ui/Poster';
import { Progress } from '~/ui/Progress';
import { QrCode } from '~/ui/QrCode';
import { toast } from '~/ui/Toast';
import styles from './Gallery.module.css';
import { Part } from './Part';
import { useWords } from './texts';

const LINK = 'https://magpie.example/join/7F3K9Q2M';

export function Pictures() {
  const w = useWords();
  const members = ['王小明', '李娜', '赵磊', '陈静'].map((name) => ({ id: name, name }));
  return (
    <Part title={w.pictures}>
      <div className={styles.row}>
        <Avatar id="a" name="王小明" size="large" />
        <Avatar id="b" name="Ada Lovelace" online={w.news} />
        <Avatar id="c" name={w.rare} size="small" />
        <GroupAvatar id="g" name={w.org} />
        <GroupAvatar id="m" name={w.org} members={members} />
        <span>
          王小明
          <Marks of={{ external: true, unverified: true }} />
        </span>
        <span>
          李娜
          <Marks of={{ lookalike: true }} />
        </span>
        <Badge count={3} label={w.waits} />
        <Badge count={128} label={w.waits} />
        <Badge count={7} label={w.news} muted />
        <Badge label={w.news} />
        {(Object.keys(w.tags) as (keyof typeof w.tags)[]).map((tone) => (
          <Tag key={tone} tone={tone}>
            {w.tags[tone]}
          </Tag>
        ))}
      </div>
      <div className={styles.grid}>
        <Progress label={w.progress} value={42} />
        <Progress label={w.indefinite} />
        <div className={styles.qr}>
          <QrCode text={LINK} label={w.posterLead} />
        </div>
      </div>
      <FileDrop
        label={w.drop}
        hint={w.dropHint}
        accept={['image/*']}
        most={3}
        onFiles={(f) => toast(f.map((x) => x.name).join('、'))}
      />
      <h3>{w.poster}</h3>
      <PosterPreview title={w.org} lead={w.posterLead} url={LINK} code="7F3K-9Q2M" until={w.until} qr={w.posterLead} />
    </Part>
  );
}
